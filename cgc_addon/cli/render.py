# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb `render`."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..progress import ShouldStop
from ..results.render_folder import LABELS, RGB
from .console.sink import Sink
from .shared_arguments import add_backend
from .values import kinds


def add_arguments(verb: argparse.ArgumentParser) -> None:
    """Add what can be asked of `render`."""
    verb.add_argument("source", type=Path, metavar="RUN|SPLAT", help="a run folder, or any splat")
    verb.add_argument(
        "--cameras",
        type=Path,
        metavar="PATH",
        help="a dataset folder or a cameras.json; default: the views the run was trained on",
    )
    verb.add_argument("--what", type=kinds, default=(RGB, LABELS), metavar="rgb,labels,…")
    verb.add_argument(
        "--ids", action="store_true", help="write DIR/segments.json: names and colours of the ids"
    )
    verb.add_argument(
        "--palette", action="store_true", help="paint labels in those colours into DIR/palette/"
    )
    verb.add_argument(
        "--segments", type=Path, metavar="FILE", help="the segments.json that names segments"
    )
    verb.add_argument("-o", "--output", type=Path, required=True, metavar="DIR")
    add_backend(verb)


def run(options: argparse.Namespace, sink: Sink, should_stop: ShouldStop) -> None:
    """Draw views of a run or of a splat into PNG files."""
    from ..cgc.segments import write_segments
    from ..rasterize.select import select_backend
    from ..results.render_folder import RenderFolder
    from ..results.renders import render_views
    from ..results.sources import segments_of_source, splat_of_source, views_of_source

    splat = splat_of_source(options.source)
    for note in splat.notes:
        sink.say(note)
    gaussians = splat.gaussians
    views = views_of_source(options.source, options.cameras, splat.origin)
    segments = None
    if options.ids or options.palette:
        segments = segments_of_source(options.source, gaussians, options.segments)
    backend, why = select_backend(options.backend, sink.report, should_stop)
    sink.say(why)
    if segments is not None and options.ids:
        write_segments(RenderFolder(options.output).segments, segments)
    render_views(
        gaussians,
        views,
        options.what,
        options.output,
        backend,
        palette=segments.palette() if segments is not None and options.palette else None,
        report=sink.report,
        should_stop=should_stop,
    )
    sink.result(
        {"views": len(views), "folder": str(options.output)},
        f"{len(views)} views in {options.output}.",
    )
