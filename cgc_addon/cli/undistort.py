# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb `undistort`."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..progress import ShouldStop
from .console.sink import Sink
from .values import positive


def add_arguments(verb: argparse.ArgumentParser) -> None:
    """Add what can be asked of `undistort`."""
    verb.add_argument("dataset", type=Path, metavar="DATASET")
    verb.add_argument("-o", "--output", type=Path, required=True, metavar="DIR")
    verb.add_argument("--max-size", type=positive, metavar="PX", help="longest side of the photos")


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
