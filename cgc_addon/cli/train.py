# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb `train`."""

from __future__ import annotations

import argparse
from dataclasses import replace

from ..progress import ShouldStop
from .terminal import Terminal


def run(options: argparse.Namespace, terminal: Terminal, should_stop: ShouldStop) -> None:
    """Train a dataset into a run folder, or go on with one."""
    from ..training.pipeline import train
    from ..training.presets import preset

    config = preset(options.preset, steps=options.steps)
    densify, features, segments = config.geometry.densify, config.features, config.segments
    if options.max_gaussians:
        densify = replace(densify, cap=options.max_gaussians)
    for name, setting in (("mode", "features"), ("reduction", "reduction"), ("spatial", "spatial")):
        if (value := getattr(options, setting)) is not None:
            features = replace(features, **{name: value})
    if options.granularity is not None:
        segments = replace(segments, granularity=options.granularity)
    config = replace(
        config,
        seed=options.seed,
        backend=options.backend,
        max_size=options.max_size,
        test_every=options.test_every,
        init=str(options.init.resolve()) if options.init else None,
        geometry=replace(config.geometry, densify=densify),
        features=features,
        segments=segments,
    )
    summary = train(
        options.dataset,
        options.output,
        config,
        resume=options.resume,
        overwrite=options.overwrite,
        checkpoint_seconds=options.checkpoint_every,
        report=terminal.report,
        say=terminal.say,
        should_stop=should_stop,
    )
    terminal.result(summary.to_json(), summary.sentence())
