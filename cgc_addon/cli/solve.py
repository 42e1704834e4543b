# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb `solve`."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..choices import names
from ..progress import ShouldStop
from ..reconstruction.settings import MATCHINGS, SolveSettings
from .console.sink import Sink
from .values import natural, positive


def add_arguments(verb: argparse.ArgumentParser) -> None:
    """Add what can be asked of `solve`."""
    verb.add_argument("photos", type=Path, metavar="PHOTOS", help="a folder, or a video file")
    verb.add_argument("-o", "--output", type=Path, required=True, metavar="DATASET")
    add_solve_options(verb)
    verb.add_argument("--overwrite", action="store_true", help="make a solved DATASET anew")


def add_solve_options(verb: argparse.ArgumentParser) -> None:
    """Add what can be chosen about solving; `settings_of` reads it."""
    verb.add_argument("--matching", choices=names(MATCHINGS), default=SolveSettings.matching)
    verb.add_argument(
        "--frames",
        type=positive,
        default=SolveSettings.frames,
        metavar="N",
        help="photos taken from a video",
    )
    verb.add_argument(
        "--max-size",
        type=positive,
        default=SolveSettings.max_size,
        metavar="PX",
        help="longest side of the photos",
    )
    verb.add_argument("--seed", type=natural, default=0)


def run(options: argparse.Namespace, sink: Sink, should_stop: ShouldStop) -> None:
    """Find the cameras of photos or of a video, and write a dataset."""
    from ..reconstruction.solve import solve

    outcome = solve(
        options.photos,
        options.output,
        settings_of(options),
        report=sink.report,
        say=sink.say,
        should_stop=should_stop,
    )
    sink.result(outcome.to_json(), outcome.sentence())


def settings_of(options: argparse.Namespace) -> SolveSettings:
    """Return the settings that a command line names."""
    return SolveSettings(
        matching=options.matching,
        frames=options.frames,
        max_size=options.max_size,
        seed=options.seed,
        overwrite=options.overwrite,
    )
