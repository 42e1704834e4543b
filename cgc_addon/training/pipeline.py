# SPDX-License-Identifier: GPL-3.0-or-later
"""One run from a dataset folder to a run folder: geometry, features, segments, in this order."""

from __future__ import annotations

import platform
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..dataset.load import Dataset, at_size, load_dataset
from ..errors import CgcError, Interrupted
from ..progress import Reporter, ShouldStop, never, silent
from ..ranks import ALONE, Ranks, agreed
from ..rasterize.select import select_backend
from ..splats.gaussians import Gaussians
from ..splats.initialise import FAR_RADIUS, first_gaussians
from ..splats.pillow_pictures import pillow_codec
from ..splats.ply import write_ply
from ..splats.read import read_splat
from ..state_clock import StateClock
from ..version import __version__
from .asked import Asked
from .checkpoint import load_checkpoint, save_checkpoint
from .config import TrainingConfig
from .corrected_segments import keep_edits
from .dense_start import wants_surface_points, with_surface_points
from .far_radius import choose_far_radius
from .kept_memory import give_back_freed_memory, keep_freed_memory
from .matching_state import keep_gains_alone
from .memory import check_memory
from .pace import Pace
from .planning import fit_run
from .preview import Preview, points_of_gaussians
from .ranks.alike import check_alike
from .run_folder import RunFolder
from .run_plan import Say, plan_run
from .segmentation import segment_run
from .too_near import check_not_too_near
from .trainer import StepResult, Trainer

CHECKPOINT_SECONDS = 20.0


@dataclass(frozen=True)
class TrainSummary:
    """What a run came to."""

    run: str
    steps: int
    gaussians: int
    segments: int | None
    """None where the photos have no masks."""
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)

    def sentence(self) -> str:
        """Say it to the user."""
        return (
            f"{self.gaussians:,} Gaussians and {segments_in_words(self.segments)} in {self.run} "
            f"after {self.steps:,} steps and {self.seconds:.0f} s."
        )


def segments_in_words(segments: int | None) -> str:
    """Say how many segments there are, None = no features were learned."""
    if segments is None:
        return "no segments, since no features were learned"
    return f"{segments} segments"


def train(
    dataset_folder: Path,
    run_path: Path,
    config: TrainingConfig,
    *,
    asked: Asked | None = None,
    resume: bool = False,
    overwrite: bool = False,
    checkpoint_seconds: float = CHECKPOINT_SECONDS,
    preview: Preview | None = None,
    ranks: Ranks = ALONE,
    batch: int = 1,
    report: Reporter = silent,
    say: Say = lambda _sentence: None,
    should_stop: ShouldStop = never,
) -> TrainSummary:
    """Train a dataset into a run folder.

    Args:
        dataset_folder: `images/`, `sparse/0/` and, where there are any, `masks/`.
        run_path: the run folder, made if missing.
        config: of a new run; a resumed one takes what its own folder says.
        asked: what of the configuration is fixed; photo size, cap and steps that are not are fitted
            to capture, machine and time. None: the configuration is taken as it is.
        resume: go on from the last checkpoint, or from the start where there is none; of a run
            whose geometry is complete only the segments are made again.
        overwrite: start anew in a folder that already holds a run.
        checkpoint_seconds: a kill costs no more work than this.
        preview: shows how it looks so far; what it does changes nothing in the result.
        ranks: processes that train together, each on photos of its own. All have the dataset; the
            run folder is the first one's alone.
        batch: photos of a step of a new run, of all processes together; at least one for each.
        report: progress.
        say: takes sentences that the user should read.
        should_stop: asked between steps; the state is saved before `Interrupted` is raised.

    Raises:
        CgcError: bad input, no room, or a run folder that is in the way.
        Interrupted: `should_stop` said so.
    """
    began = time.perf_counter()
    keep_freed_memory()
    folder = RunFolder(run_path)
    first, ask = ranks.rank == 0, agreed(should_stop, ranks)
    plan = ranks.first_does(
        lambda: plan_run(folder, dataset_folder, config, resume, overwrite, batch, say)
    )
    config, resume, batch = plan.config, plan.resume, max(plan.batch, ranks.size)
    dataset = load_dataset(
        dataset_folder,
        max_size=config.max_size,
        test_every=config.test_every,
        origin=plan.origin,
    )
    for warning in dataset.warnings:
        say(warning)
    check_not_too_near(dataset_folder, dataset.scene)
    backend, why = select_backend(config.backend, report, should_stop)
    say(why)
    check_alike(dataset, backend, ranks)
    dataset = with_surface_points(
        dataset, config, folder.matching, checkpoint_seconds, ranks,
        resume=resume, gains_alone=resume and folder.checkpoint.exists(),
        say=say, report=report, should_stop=should_stop,
    )  # fmt: skip
    given_splat = None
    if config.init is not None:
        given_splat = ranks.first_does(lambda: _given_gaussians(config, dataset.scene.origin, say))

    def begin_with(config: TrainingConfig, dataset: Dataset) -> Gaussians:
        return given_splat or _first_gaussians(config, dataset, FAR_RADIUS)

    if asked is None or resume:
        start = ranks.first_does(lambda: begin_with(config, dataset))
        say(check_memory(config, dataset, len(start), ranks.local_size).sentence())
    else:
        whole = dataset
        fit = ranks.first_does(
            lambda: fit_run(
                whole, backend, config, asked, begin_with, ranks,
                began=began, say=say, report=report, should_stop=should_stop,
            )
        )  # fmt: skip
        config, start, dataset = fit.config, fit.start, at_size(whole, fit.config.max_size)
    if config.init is None:
        given, cap = len(dataset.scene.points), config.geometry.densify.cap
        if given > cap:
            say(
                f"{given:,} points are more than the cap of {cap:,} Gaussians; they are thinned to "
                "fit. --max-gaussians raises the cap."
            )
    log = _Log(folder if first else None, say)
    if first:
        keep_edits(folder)
    if first and not resume:
        _clear(folder, matched=wants_surface_points(dataset, config))
        wish = None if asked is None else asked.to_json()
        folder.start(dataset_folder, config, _versions(), dataset.scene.origin, batch, wish)
    log.note(why)
    log.say(f"{len(dataset.train)} photos to train on, {len(dataset.test)} held out.")
    if dataset.scene.surface is not None:
        log.say(
            f"Matching the photos found {len(dataset.scene.surface):,} points beside the "
            f"{len(dataset.scene.points):,} that came with the cameras."
        )
    if (gains := dataset.scene.gains) is not None:
        log.say(
            f"Photos differ in exposure, from {gains.min():.2f} to {gains.max():.2f} times their "
            "mean; renders show the mean."
        )
    if ranks.size > 1:
        log.say(f"{ranks.size} processes train together, on {batch} photos a step.")
    elif batch > 1:
        log.say(f"Steps are of {batch} photos each.")
    if preview is not None and not folder.checkpoint.exists():
        preview.show(points_of_gaussians(start))

    if config.init is not None:
        geometry = start
    else:
        if dataset.store.are_cut_out:
            log.say(
                "The photos are cut out: what is transparent in them stays empty, and there is no "
                "background."
            )
        elif config.geometry.far_points and not ranks.first_does(folder.checkpoint.exists):
            radius = choose_far_radius(
                dataset,
                backend,
                config,
                lambda radius: ranks.first_does(lambda: _first_gaussians(config, dataset, radius)),
                folder,
                checkpoint_seconds,
                ranks=ranks,
                batch=batch,
                report=report,
                should_stop=ask,
            )
            log.say(f"The background fits best {radius:g} scene extents away.")
            start = ranks.first_does(lambda: _first_gaussians(config, dataset, radius))
        trainer = Trainer(dataset, backend, config, start, ranks, batch)
        geometry = _train_geometry(
            folder,
            trainer,
            backend.device,
            resume,
            checkpoint_seconds,
            preview,
            ranks,
            report,
            ask,
        )
        del trainer  # what follows needs the room of its moments
        give_back_freed_memory()
    result = segment_run(
        folder,
        geometry,
        dataset,
        backend,
        config,
        checkpoint_seconds=checkpoint_seconds,
        preview=preview,
        ranks=ranks,
        batch=batch,
        report=report,
        say=log.say,
        should_stop=should_stop,
    )
    if first:
        keep_gains_alone(folder.matching)
    summary = TrainSummary(
        run=str(run_path),
        steps=0 if config.init is not None else config.geometry.steps,
        gaussians=len(result.gaussians),
        segments=None if result.segments is None else len(result.segments),
        seconds=time.perf_counter() - began,
    )
    log.note(summary.sentence())
    return summary


def _given_gaussians(config: TrainingConfig, origin: NDArray[np.float64], say: Say) -> Gaussians:
    """Read the splat that --init names, relative to an origin (3,); say what was left out."""
    if config.features.mode == "off":
        raise CgcError(
            "--init keeps the geometry of a splat and learns features for it; "
            "with --features off there is nothing to do."
        )
    if config.features.mode == "joint":
        raise CgcError(
            "--init keeps the geometry of a splat, so features cannot be learned along with it; "
            "learn them with --features frozen."
        )
    splat = read_splat(Path(str(config.init)), pillow_codec())
    for note in splat.notes:
        say(note)
    gaussians = splat.gaussians
    if splat.origin.any():  # one that is near is what an export in 32-bit numbers left of places
        means = (gaussians.means + (splat.origin - origin)).astype(np.float32)
        gaussians = replace(gaussians, means=means)
    return gaussians


def _first_gaussians(config: TrainingConfig, dataset: Dataset, far_radius: float) -> Gaussians:
    scene, train = dataset.scene, dataset.train
    return first_gaussians(
        # Held-out photos must not even colour the start.
        replace(scene, views=tuple(scene.views[index] for index in train)),
        lambda index: dataset.store.photo(train[index], 1),
        sh_degree=config.geometry.sh_degree,
        far_count=0 if dataset.store.are_cut_out else config.geometry.far_points,
        far_radius=far_radius,
        surface_share=config.geometry.surface_share,
        limit=config.geometry.densify.cap,
        seed=config.seed,
    )


def _clear(folder: RunFolder, *, matched: bool) -> None:
    """Remove what an earlier run left, so that nothing of it is taken for this one's.

    Args:
        folder: of both runs.
        matched: whether what comparing the photos found is this one's already.
    """
    if not matched:
        folder.matching.unlink(missing_ok=True)
    for path in (
        folder.config,
        folder.checkpoint,
        folder.checkpoint_summary,
        folder.splat,
        folder.segments,
        folder.clusters,
        folder.evaluation,
        folder.preview,
        *folder.stage_states,
    ):
        path.unlink(missing_ok=True)


def _versions() -> dict[str, str]:
    versions = {"cgc": __version__, "python": platform.python_version()}
    for name in ("torch", "numpy", "numba", "gsplat", "scikit-learn", "pycolmap"):
        with suppress(metadata.PackageNotFoundError):  # a backend may do without its package
            versions[name] = metadata.version(name)
    return versions


@dataclass(frozen=True)
class _Log:
    folder: RunFolder | None
    """None: another process writes."""
    to_user: Say

    def note(self, sentence: str) -> None:
        if self.folder is not None:
            self.folder.note(sentence)

    def say(self, sentence: str) -> None:
        self.note(sentence)
        self.to_user(sentence)


def _train_geometry(
    folder: RunFolder,
    trainer: Trainer,
    device: torch.device,
    resume: bool,
    checkpoint_seconds: float,
    preview: Preview | None,
    ranks: Ranks,
    report: Reporter,
    should_stop: ShouldStop,
) -> Gaussians:
    """Train colour and shape, with joint features where the configuration says so."""
    # Others take it to cards of their own.
    place = device if ranks.size == 1 else torch.device("cpu")
    found = ranks.first_does(
        lambda: (
            load_checkpoint(folder.checkpoint, place)
            if resume and folder.checkpoint.exists()
            else None
        )
    )
    if found is not None:
        trainer.restore(found)
    if ranks.rank != 0:
        trainer.run(should_stop=should_stop)
        return trainer.gaussians()
    if found is not None:
        folder.note(f"Going on from step {trainer.step}.")
        if trainer.step == trainer.steps:
            return trainer.gaussians()
    folder.rewind_metrics(trainer.step - 1)
    began = time.perf_counter()
    clock = StateClock(checkpoint_seconds)

    def save() -> None:
        folder.check()
        save_checkpoint(folder.checkpoint, folder.checkpoint_summary, trainer.checkpoint())

    def pause() -> None:
        if clock.due():
            save()
            clock.kept()
        if preview is not None:
            preview.offer(trainer.preview)

    def record(result: StepResult, pace: Pace) -> None:
        values = {name: value for name, value in asdict(result).items() if value is not None}
        if np.isnan(result.psnr):
            del values["psnr"]
        rounded = {name: round(value, 2) for name, value in pace.items()}
        elapsed = round(time.perf_counter() - began, 3)
        folder.append_metrics({**values, **rounded, "seconds": elapsed})

    try:
        trainer.run(report, should_stop, record, pause)
    except Interrupted:
        save()
        write_ply(folder.splat, trainer.gaussians())
        folder.note(f"Stopped at step {trainer.step}; --resume goes on.")
        raise
    save()
    gaussians = trainer.gaussians()
    write_ply(folder.splat, gaussians)
    return gaussians
