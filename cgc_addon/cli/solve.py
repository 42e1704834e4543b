# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb `solve`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from ..progress import ShouldStop
from .console.sink import Sink

if TYPE_CHECKING:
    from ..reconstruction.settings import SolveSettings


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
    from ..reconstruction.settings import SolveSettings

    return SolveSettings(
        matching=options.matching,
        frames=options.frames,
        max_size=options.max_size,
        seed=options.seed,
        overwrite=options.overwrite,
    )
