# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb `train`."""

from __future__ import annotations

import argparse
import os
from contextlib import nullcontext

from ..progress import ShouldStop
from ..ranks import Ranks
from .console.sink import Sink


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
