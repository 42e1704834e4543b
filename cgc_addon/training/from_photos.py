# SPDX-License-Identifier: GPL-3.0-or-later
"""From photos to a segmented splat as one job: cameras, masks, training.

Each stage goes on where an earlier call ended, and one that is done is passed at once, so that the
same call again is all it takes after an interruption.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..cgc.features.training import LEARNING_FEATURES
from ..cgc.observations import LOOKING_AT_MASKS
from ..dataset.colmap.places import find_model
from ..dataset.folder import DatasetFolder
from ..dataset.names import PHOTO_ENDINGS
from ..errors import CgcError
from ..files_together import finish_change
from ..masks.generate import MAKING_MASKS
from ..progress import Progress, Reporter, silent
from ..reconstruction.dense.matching import COMPARING_SURFACES, MATCHING_PHOTOS
from ..stages import Stage, StagedProgress
from .asked import Asked, is_run_of
from .config import TrainingConfig
from .edge_refinement import SHARPENING_EDGES
from .far_radius import PLACING_BACKGROUND
from .photo_job import PhotoJob, write_job
from .pipeline import TrainSummary, segments_in_words
from .run_folder import RunFolder
from .trainer import TRAINING

SOLVE, MASKS, TRAIN = "solve", "masks", "train"
STAGES = (
    Stage(SOLVE, 0.16),
    Stage(MASKS, 0.24, {MAKING_MASKS: (0.0, 1.0)}),
    Stage(
        TRAIN,
        0.60,
        {
            MATCHING_PHOTOS: (0.0, 0.045),
            COMPARING_SURFACES: (0.045, 0.065),
            PLACING_BACKGROUND: (0.065, 0.11),
            TRAINING: (0.11, 0.61),
            LOOKING_AT_MASKS: (0.61, 0.66),
            LEARNING_FEATURES: (0.66, 0.85),
            SHARPENING_EDGES: (0.85, 1.0),
        },
    ),
)
"""Their weights are shares of the time as measured on two cores, `standard` and MobileSAM.

Solving knows its own share, see `reconstruction.job.STAGES`.
"""


@dataclass(frozen=True)
class Steps:
    """What is done in each stage; whoever calls has bound everything but the progress."""

    solve: Callable[[Reporter], Any]
    make_masks: Callable[[Reporter], Any] | None
    """None: there are to be no masks."""
    train: Callable[[bool, Reporter], TrainSummary]
    """Its first argument: whether to go on with the run that is there."""


@dataclass(frozen=True)
class FromPhotosSummary:
    """What came of it."""

    dataset: str
    run: str
    registered: int
    """Photos that were found a place for."""
    masked: int
    """Of them, those with a label map."""
    gaussians: int | None
    """None where the run was finished before."""
    segments: int | None
    """None where there are none, for there are no masks."""
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)

    def sentence(self) -> str:
        """Say it to the user."""
        return (
            f"{self.registered} photos with cameras in {self.dataset}, {self.masked} of them with "
            f"masks; {segments_in_words(self.segments)} in {self.run} after {self.seconds:.0f} s."
        )


def from_photos(
    job: PhotoJob,
    steps: Steps,
    *,
    overwrite: bool = False,
    report: Reporter = silent,
    say: Callable[[str], None] = lambda _sentence: None,
) -> FromPhotosSummary:
    """Do what of the three stages is not done yet.

    Args:
        job: where from and where to; `check_run` and what the stages need have been checked.
        steps: the stages.
        overwrite: do all stages, whatever is there.
        report: takes the progress, with the share of the whole.
        say: takes sentences that the user should read.

    Raises:
        CgcError: bad input, or a folder that is in the way.
        Interrupted: the user stopped a stage; what it did is saved.
    """
    began = time.perf_counter()
    stages = [stage for stage in STAGES if steps.make_masks is not None or stage.name != MASKS]
    progress = StagedProgress(stages, report)
    # Once solving reports something, the dataset's folder is known to be ours.
    steps.solve(_first(lambda: write_job(job), progress.begin(SOLVE)))
    write_job(job)
    if steps.make_masks is not None:
        reporter = progress.begin(MASKS)
        if overwrite or unlabelled_photos(job.dataset):
            steps.make_masks(reporter)
        else:
            say("Every photo has its masks already.")
    reporter = progress.begin(TRAIN)
    folder = RunFolder(job.run)
    summary = None
    if overwrite:
        summary = steps.train(False, reporter)
    elif is_up_to_date(folder, job.dataset):
        say(f"{job.run} is trained already.")
    else:
        summary = steps.train(folder.config.exists(), reporter)
    progress.finish()
    photos = photos_of(job.dataset)
    return FromPhotosSummary(
        dataset=str(job.dataset),
        run=str(job.run),
        registered=len(photos),
        masked=len(photos) - len(unlabelled_photos(job.dataset)),
        gaussians=None if summary is None else summary.gaussians,
        segments=_segments(folder),
        seconds=time.perf_counter() - began,
    )


def check_run(run: Path, dataset: Path, config: TrainingConfig, asked: Asked | None = None) -> None:
    """Check that a run folder is free, or holds the run that is wanted, done or not.

    Args:
        run: folder.
        dataset: that the run is to be of.
        config: as configured.
        asked: what of it is fixed; None: all.

    Raises:
        CgcError: it holds another one.
    """
    folder = RunFolder(run)
    if not folder.config.exists():
        return
    trained_on, _ = folder.read_config()
    if trained_on != dataset.resolve():
        raise CgcError(
            f"{run} was trained on {trained_on}, not on {dataset}; name another folder with --run."
        )
    if not is_run_of(folder, dataset, config, asked):
        raise CgcError(
            f"{run} holds a run with other settings; name another folder with --run, "
            "or start it anew with --overwrite."
        )


def photos_of(dataset: Path) -> dict[str, Path]:
    """Return the photos of a dataset by their names without ending, empty where there are none."""
    return {
        stem: path
        for stem, path in _files(DatasetFolder(dataset).images).items()
        if path.suffix.lower() in PHOTO_ENDINGS
    }


def unlabelled_photos(dataset: Path) -> list[str]:
    """Return the names without ending of the photos that lack a label map of objects."""
    maps = _files(DatasetFolder(dataset).masks)
    return [stem for stem in photos_of(dataset) if stem not in maps]


def is_up_to_date(folder: RunFolder, dataset: Path) -> bool:
    """Return whether a run is finished and made from the cameras and masks that there are now.

    Raises:
        CgcError: the cameras are newer than the run, which no resuming can mend.
    """
    if not folder.config.exists():
        return False
    finish_change(folder.path)
    model = [file.stat().st_mtime_ns for file in find_model(dataset).iterdir() if file.is_file()]
    if max(model, default=0) > folder.config.stat().st_mtime_ns:
        raise CgcError(
            f"{folder.path} was trained on earlier cameras of {dataset}; name another folder with "
            "--run, or start it anew with --overwrite."
        )
    if not folder.segments.is_file():
        return False
    # The verb `segment` writes segments anew, but from the same masks.
    made = folder.clusters if folder.clusters.is_file() else folder.segments
    finished = made.stat().st_mtime_ns
    maps = _files(DatasetFolder(dataset).masks).values()
    return all(path.stat().st_mtime_ns <= finished for path in maps)


def _first(action: Callable[[], None], report: Reporter) -> Reporter:
    """Return a reporter that does something before it reports for the first time."""
    waiting = [action]

    def told(progress: Progress, /) -> None:
        while waiting:
            waiting.pop()()
        report(progress)

    return told


def _files(folder: Path) -> dict[str, Path]:
    """Return the files below a folder by their paths in it without ending, hidden ones left out."""
    found = {}
    for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
        inside = path.relative_to(folder)
        if path.is_file() and not any(part.startswith(".") for part in inside.parts):
            found[inside.with_suffix("").as_posix()] = path
    return found


def _segments(folder: RunFolder) -> int | None:
    from ..cgc.segments import read_segments

    return len(read_segments(folder.segments)) or None
