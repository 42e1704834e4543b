# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb `export`."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..progress import ShouldStop
from ..splats.formats import DEFAULT_SPZ_VERSION, SPZ_VERSIONS, WRITTEN_ENDINGS
from .console.sink import Sink
from .values import natural


def add_arguments(verb: argparse.ArgumentParser) -> None:
    """Add what can be asked of `export`."""
    verb.add_argument("source", type=Path, metavar="RUN|SPLAT", help="a run folder, or any splat")
    verb.add_argument("--segment", type=natural, nargs="+", metavar="ID")
    verb.add_argument(
        "-o",
        "--output",
        type=Path,
        required=True,
        metavar="FILE",
        help=f"its ending says which format: {', '.join(WRITTEN_ENDINGS)}",
    )
    verb.add_argument(
        "--plain",
        action="store_true",
        help="PLY without segments and features, for programs that take 3DGS's layout alone",
    )
    verb.add_argument("--spz-version", type=int, choices=SPZ_VERSIONS, default=DEFAULT_SPZ_VERSION)


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
