# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb `from-photos`."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..choices import names
from ..masks.levels import DEFAULT_LEVELS, LEVELS
from ..masks.models.known import DEFAULT_MODEL, KNOWN, NO_MASKS
from ..progress import Reporter, ShouldStop
from ..reconstruction.settings import MATCHINGS, SolveSettings
from ..training.presets import DEFAULT_PRESET, PRESETS
from .console.sink import Sink
from .shared_arguments import add_backend, add_minutes
from .values import natural, positive, seconds

if TYPE_CHECKING:
    from ..training.asked import Asked
    from ..training.config import TrainingConfig
    from ..training.from_photos import Steps

_KEPT = ("matching", "frames", "model", "levels", "preset", "steps", "backend", "test_every",
         "minutes", "max_size", "max_gaussians", "seed")  # fmt: skip


def add_arguments(verb: argparse.ArgumentParser) -> None:
    """Add what can be asked of `from-photos`."""
    verb.add_argument("photos", type=Path, metavar="PHOTOS", help="a folder of photos, or a video")
    verb.add_argument("-o", "--output", type=Path, required=True, metavar="DATASET")
    verb.add_argument("--run", type=Path, metavar="RUN", help="default: DATASET_run beside it")
    verb.add_argument(
        "--overwrite", action="store_true", help="make cameras, masks and run anew if they exist"
    )
    verb.add_argument("--matching", choices=names(MATCHINGS), default=SolveSettings.matching)
    verb.add_argument("--frames", type=positive, metavar="N", help="taken from a video")
    verb.add_argument(
        "--model",
        default=DEFAULT_MODEL,
        metavar="NAME|PATH",
        help=f"{', '.join(KNOWN)}, a file, or {NO_MASKS.name} for no masks",
    )
    verb.add_argument("--levels", choices=names(LEVELS), default=DEFAULT_LEVELS)
    verb.add_argument("--preset", choices=tuple(PRESETS), default=DEFAULT_PRESET)
    add_minutes(verb)
    verb.add_argument("--steps", type=positive, help="photometric steps; schedules stretch along")
    add_backend(verb)
    verb.add_argument("--test-every", type=positive, metavar="N", help="hold out every N-th photo")
    verb.add_argument(
        "--max-size", type=positive, metavar="PX", help="longest side of the photos in training"
    )
    verb.add_argument("--max-gaussians", type=positive, metavar="N", help="cap on their number")
    verb.add_argument("--seed", type=natural, default=0)
    verb.add_argument(
        "--preview", type=seconds, metavar="S", help="write RUN/preview.npy every so many seconds"
    )


def run(options: argparse.Namespace, sink: Sink, should_stop: ShouldStop) -> None:
    """Solve, mask and train, or go on with what of that is not done."""
    from ..masks.models.weights import find_weights
    from ..training.asked import Asked
    from ..training.from_photos import check_run, from_photos, photos_of, unlabelled_photos
    from ..training.photo_job import PhotoJob, default_run
    from ..training.presets import configure

    dataset: Path = options.output
    job = PhotoJob(
        options.photos, dataset, options.run or default_run(dataset), kept_options(options)
    )
    config = configure(
        options.preset,
        steps=options.steps,
        max_gaussians=options.max_gaussians,
        max_size=options.max_size,
        test_every=options.test_every,
        seed=options.seed,
        backend=options.backend,
    )
    asked = Asked(options.max_size, options.max_gaussians, options.steps, options.minutes)
    if not options.overwrite:
        check_run(job.run, dataset, config, asked)
    masked = photos_of(dataset) and not unlabelled_photos(dataset)
    if options.model != NO_MASKS.name and (options.overwrite or not masked):
        find_weights(options.model)  # now, not after hours of solving
    summary = from_photos(
        job,
        _Bound(options, job, config, asked, sink, should_stop).steps(),
        overwrite=options.overwrite,
        report=sink.report,
        say=sink.say,
    )
    sink.result(summary.to_json(), summary.sentence())


def kept_options(options: argparse.Namespace) -> tuple[str, ...]:
    """Return the arguments that a later call needs to ask for the same."""
    words: list[str] = []
    for name in _KEPT:
        if (value := getattr(options, name)) is not None:
            words += ["--" + name.replace("_", "-"), str(value)]
    return tuple(words)


@dataclass(frozen=True)
class _Bound:
    """The stages with all they need but somebody to report to."""

    options: argparse.Namespace
    job: Any
    config: TrainingConfig
    asked: Asked
    sink: Sink
    should_stop: ShouldStop

    def steps(self) -> Steps:
        from ..training.from_photos import Steps

        masks = None if self.options.model == NO_MASKS.name else self.make_masks
        return Steps(self.solve, masks, self.train)

    def solve(self, report: Reporter) -> Any:
        from ..reconstruction.solve import solve

        options = self.options
        frames = {} if options.frames is None else {"frames": options.frames}
        settings = SolveSettings(
            matching=options.matching, seed=options.seed, overwrite=options.overwrite, **frames
        )
        return solve(
            self.job.photos,
            self.job.dataset,
            settings,
            report=report,
            say=self.sink.say,
            should_stop=self.should_stop,
        )

    def make_masks(self, report: Reporter) -> Any:
        from ..masks.generate import MaskSettings, make_masks
        from ..masks.models.registry import open_model

        return make_masks(
            self.job.dataset,
            open_model(self.options.model),
            MaskSettings(levels=self.options.levels),
            overwrite=self.options.overwrite,
            report=report,
            say=self.sink.say,
            should_stop=self.should_stop,
        )

    def train(self, resume: bool, report: Reporter) -> Any:
        from ..training.pipeline import train
        from ..training.preview import Preview
        from ..training.run_folder import RunFolder
        from ..training.run_lock import locked

        run, seconds = self.job.run, self.options.preview
        preview = None
        if seconds is not None:
            preview = Preview(RunFolder(run).preview, seconds, self.sink.preview)
        with locked(run):
            return train(
                self.job.dataset,
                run,
                self.config,
                asked=self.asked,
                resume=resume,
                overwrite=not resume,
                preview=preview,
                report=report,
                say=self.sink.say,
                should_stop=self.should_stop,
            )
