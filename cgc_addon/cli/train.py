# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb `train`."""

from __future__ import annotations

import argparse

from ..progress import ShouldStop
from .console.sink import Sink


def run(options: argparse.Namespace, sink: Sink, should_stop: ShouldStop) -> None:
    """Train a dataset into a run folder, or go on with one."""
    from ..dataset.solved import dataset_at
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
    if options.preview is not None:
        preview = Preview(RunFolder(options.output).preview, options.preview, sink.preview)
    with locked(options.output):
        summary = train(
            dataset_at(options.dataset),
            options.output,
            config,
            resume=options.resume,
            overwrite=options.overwrite,
            checkpoint_seconds=options.checkpoint_every,
            preview=preview,
            report=sink.report,
            say=sink.say,
            should_stop=should_stop,
        )
    sink.result(summary.to_json(), summary.sentence())
