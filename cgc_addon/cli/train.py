# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb `train`."""

from __future__ import annotations

import argparse
import os
from contextlib import nullcontext
from pathlib import Path

from ..cgc.settings import EVIDENCE, FEATURE_MODES, REDUCTIONS, SPATIAL_LOSSES
from ..choices import names
from ..progress import ShouldStop
from ..ranks import Ranks
from ..training.presets import DEFAULT_PRESET, PRESETS
from .console.sink import Sink
from .shared_arguments import add_backend, add_minutes
from .values import number, positive, seconds, seed, share


def add_arguments(verb: argparse.ArgumentParser) -> None:
    """Add what can be asked of `train`."""
    verb.add_argument("dataset", type=Path, metavar="DATASET")
    verb.add_argument("-o", "--output", type=Path, required=True, metavar="RUN")
    verb.add_argument("--preset", choices=tuple(PRESETS), default=DEFAULT_PRESET)
    add_minutes(verb)
    verb.add_argument("--steps", type=positive, help="photometric steps; schedules stretch along")
    add_backend(verb)
    verb.add_argument("--test-every", type=positive, metavar="N", help="hold out every N-th photo")
    verb.add_argument("--max-size", type=positive, metavar="PX", help="longest side of the photos")
    verb.add_argument("--max-gaussians", type=positive, metavar="N", help="cap on their number")
    verb.add_argument("--seed", type=seed, default=0)
    verb.add_argument(
        "--batch",
        type=positive,
        default=1,
        metavar="N",
        help="photos of a step; at least one for each process that trains",
    )
    verb.add_argument("--resume", action="store_true", help="go on from the last checkpoint of RUN")
    verb.add_argument("--overwrite", action="store_true", help="start anew in a RUN that exists")
    verb.add_argument(
        "--checkpoint-every",
        type=number,
        default=20.0,
        metavar="S",
        help="seconds a kill may cost",
    )
    verb.add_argument(
        "--preview", type=seconds, metavar="S", help="write RUN/preview.npy every so many seconds"
    )
    verb.add_argument(
        "--init", type=Path, metavar="SPLAT", help="an existing splat: learn only features"
    )
    methods = verb.add_argument_group("the method (default: as the preset says)")
    methods.add_argument("--features", choices=names(FEATURE_MODES))
    methods.add_argument("--reduction", choices=names(REDUCTIONS))
    methods.add_argument("--spatial", choices=names(SPATIAL_LOSSES))
    methods.add_argument("--granularity", type=share, metavar="F", help="0 parts … 1 objects")
    methods.add_argument(
        "--evidence",
        choices=names(EVIDENCE),
        help="what says which parts are one object: label maps, or all answers of the mask model",
    )


def run(options: argparse.Namespace, sink: Sink, should_stop: ShouldStop) -> None:
    """Train a dataset into a run folder, or go on with one."""
    from ..training.ranks.together import together

    with together(os.environ, cuda=options.backend != "cpu") as ranks:
        _train(options, ranks, sink, should_stop)


def _train(options: argparse.Namespace, ranks: Ranks, sink: Sink, should_stop: ShouldStop) -> None:
    from ..dataset.solved import dataset_at
    from ..training.asked import Asked
    from ..training.pipeline import train
    from ..training.presets import configure
    from ..training.preview import Preview
    from ..training.run_folder import RunFolder
    from ..training.run_lock import locked

    config = configure(
        options.preset,
        steps=options.steps,
        max_gaussians=options.max_gaussians,
        max_size=options.max_size,
        test_every=options.test_every,
        seed=options.seed,
        backend=options.backend,
        init=options.init,
        features=options.features,
        reduction=options.reduction,
        spatial=options.spatial,
        granularity=options.granularity,
        evidence=options.evidence,
    )
    preview = None
    if options.preview is not None and ranks.rank == 0:
        preview = Preview(RunFolder(options.output).preview, options.preview, sink.preview)
    # The run folder is the first process's.
    with locked(options.output) if ranks.rank == 0 else nullcontext():
        summary = train(
            dataset_at(options.dataset),
            options.output,
            config,
            asked=Asked(options.max_size, options.max_gaussians, options.steps, options.minutes),
            resume=options.resume,
            overwrite=options.overwrite,
            checkpoint_seconds=options.checkpoint_every,
            preview=preview,
            ranks=ranks,
            batch=options.batch,
            report=sink.report,
            say=sink.say,
            should_stop=should_stop,
        )
    sink.result(summary.to_json(), summary.sentence())
