# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb `undistort`."""

from __future__ import annotations

import argparse

from ..progress import ShouldStop
from .console.sink import Sink


def run(options: argparse.Namespace, sink: Sink, should_stop: ShouldStop) -> None:
    """Write the photos of a dataset as pinhole cameras see them, and those cameras."""
    from ..dataset.load import load_dataset
    from ..dataset.solved import dataset_at
    from ..dataset.undistorted_copy import write_undistorted

    dataset = load_dataset(dataset_at(options.dataset), max_size=options.max_size)
    for warning in dataset.warnings:
        sink.say(warning)
    views = write_undistorted(dataset, options.output, report=sink.report, should_stop=should_stop)
    sink.result(
        {"photos": len(views), "folder": str(options.output)},
        f"{len(views)} photos and cameras.json in {options.output}.",
    )
