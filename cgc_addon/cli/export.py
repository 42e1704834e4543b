# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb `export`."""

from __future__ import annotations

import argparse

from ..progress import ShouldStop
from .console.sink import Sink


def run(options: argparse.Namespace, sink: Sink, should_stop: ShouldStop) -> None:
    """Write the splat of a run, or only some of its segments, as one PLY."""
    from ..results.export import export_segments
    from ..training.run_folder import RunFolder

    count = export_segments(RunFolder(options.run), options.output, options.segment, should_stop)
    sink.result(
        {"file": str(options.output), "gaussians": count},
        f"{count:,} Gaussians in {options.output}.",
    )
