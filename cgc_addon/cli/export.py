# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb `export`."""

from __future__ import annotations

import argparse

from ..progress import ShouldStop
from .console.sink import Sink


def run(options: argparse.Namespace, sink: Sink, should_stop: ShouldStop) -> None:
    """Write the splat of a run, any other splat, or only some of its segments, as one file."""
    from ..results.export import export_segments
    from ..splats.formats import WriteSettings, format_of

    kind = format_of(options.output, ply="plain" if options.plain else "ply")
    settings = WriteSettings(kind, options.spz_version)
    count = export_segments(
        *(options.source, options.output, options.segment, settings),
        *(sink.say, sink.report, should_stop),
    )
    sink.result(
        {"file": str(options.output), "gaussians": count},
        f"{count:,} Gaussians in {options.output}.",
    )
