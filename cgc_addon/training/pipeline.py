# SPDX-License-Identifier: GPL-3.0-or-later
"""One run from a dataset folder to a run folder: geometry, features, segments, in this order."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..dataset.load import Dataset, load_dataset
from ..errors import CgcError, Interrupted
from ..files_together import finish_change
from ..progress import Reporter, ShouldStop, never, silent
from ..rasterize.select import select_backend
from ..splats.gaussians import Gaussians
from ..splats.initialise import FAR_RADIUS, first_gaussians
from ..splats.pillow_pictures import pillow_codec
from ..splats.ply import write_ply
from ..splats.read import read_splat
from ..version import __version__
from .asked import Asked
from .checkpoint import load_checkpoint, save_checkpoint
from .config import TrainingConfig
from .far_radius import choose_far_radius
from .memory import check_memory
from .pace import Pace
from .planning import plan_run
from .preview import Preview, points_of_gaussians
from .run_folder import RunFolder
from .segmentation import segment_run
from .trainer import StepResult, Trainer

CHECKPOINT_SECONDS = 20.0

Say = Callable[[str], None]


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
    """Say how many segments there are, None = the photos have no masks."""
    if segments is None:
        return "no segments, since there are no masks"
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
        report: progress.
        say: takes sentences that the user should read.
        should_stop: asked between steps; the state is saved before `Interrupted` is raised.

    Raises:
        CgcError: bad input, no room, or a run folder that is in the way.
        Interrupted: `should_stop` said so.
    """
    began = time.perf_counter()
    folder = RunFolder(run_path)
    finish_change(run_path)
    if resume and not folder.config.exists():
        say(f"There is nothing to go on with in {run_path}; starting from the beginning.")
        resume = False
    if resume:
        named, config = folder.read_config()
        if dataset_folder.resolve() != named:
            raise CgcError(
                f"{run_path} was trained on {named}, not on {dataset_folder}; "
                "name that dataset, or start a new run folder."
            )
    elif folder.config.exists() and not overwrite:
        raise CgcError(
            f"{run_path} already holds a run; use --resume to go on with it, --overwrite to start "
            "anew, or name another folder."
        )
    dataset = load_dataset(
        dataset_folder,
        max_size=config.max_size,
        test_every=config.test_every,
        origin=folder.read_origin() if resume else None,
    )
    for warning in dataset.warnings:
        say(warning)
    backend, why = select_backend(config.backend, report)
    say(why)
    given_splat = _given_gaussians(config, dataset.scene.origin, say) if config.init else None

    def first(config: TrainingConfig, dataset: Dataset) -> Gaussians:
        return given_splat or _first_gaussians(config, dataset, FAR_RADIUS)

    if asked is None or resume:
        start = first(config, dataset)
        say(check_memory(config, dataset.scene, len(start)).sentence())
    else:
        plan = plan_run(
            dataset, backend, config, asked, first,
            say=say, report=report, should_stop=should_stop,
        )  # fmt: skip
        config, dataset, start = plan.config, plan.dataset, plan.start
    if config.init is None:
        given, cap = len(dataset.scene.points), config.geometry.densify.cap
        if given > cap:
            say(
                f"{given:,} points are more than the cap of {cap:,} Gaussians; they are thinned to "
                "fit. --max-gaussians raises the cap."
            )
    if not resume:
        _clear(folder)
        wish = None if asked is None else asked.to_json()
        folder.start(dataset_folder, config, _versions(), dataset.scene.origin, wish)
    log = _Log(folder, say)
    folder.note(why)
    log.say(f"{len(dataset.train)} photos to train on, {len(dataset.test)} held out.")
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
        elif config.geometry.far_points and not folder.checkpoint.exists():
            radius = choose_far_radius(
                dataset,
                backend,
                config,
                lambda radius: _first_gaussians(config, dataset, radius),
                folder.background_trials,
                report=report,
                should_stop=should_stop,
            )
            log.say(f"The background fits best {radius:g} scene extents away.")
            start = _first_gaussians(config, dataset, radius)
        trainer = Trainer(dataset, backend, config, start)
        geometry = _train_geometry(
            folder,
            trainer,
            backend.device,
            resume,
            checkpoint_seconds,
            preview,
            report,
            should_stop,
        )
    result = segment_run(
        folder,
        geometry,
        dataset,
        backend,
        config,
        checkpoint_seconds=checkpoint_seconds,
        preview=preview,
        report=report,
        say=log.say,
        should_stop=should_stop,
    )
    summary = TrainSummary(
        run=str(run_path),
        steps=0 if config.init is not None else config.geometry.steps,
        gaussians=len(result.gaussians),
        segments=None if result.segments is None else len(result.segments),
        seconds=time.perf_counter() - began,
    )
    folder.note(summary.sentence())
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
        limit=config.geometry.densify.cap,
        seed=config.seed,
    )


def _clear(folder: RunFolder) -> None:
    """Remove what an earlier run left, so that nothing of it is taken for this one's."""
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
    folder: RunFolder
    to_user: Say

    def say(self, sentence: str) -> None:
        self.folder.note(sentence)
        self.to_user(sentence)


def _train_geometry(
    folder: RunFolder,
    trainer: Trainer,
    device: torch.device,
    resume: bool,
    checkpoint_seconds: float,
    preview: Preview | None,
    report: Reporter,
    should_stop: ShouldStop,
) -> Gaussians:
    """Train colour and shape, with joint features where the configuration says so."""
    if resume and folder.checkpoint.exists():
        trainer.restore(load_checkpoint(folder.checkpoint, device))
        folder.note(f"Going on from step {trainer.step}.")
        if trainer.step == trainer.steps:
            return trainer.gaussians()
    folder.rewind_metrics(trainer.step - 1)
    began = last = time.perf_counter()

    def save() -> None:
        folder.check()
        save_checkpoint(folder.checkpoint, folder.checkpoint_summary, trainer.checkpoint())

    def pause() -> None:
        nonlocal last
        if time.perf_counter() - last >= checkpoint_seconds:
            save()
            last = time.perf_counter()
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
