# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb `pick`."""

from __future__ import annotations

import argparse

from ..errors import Interrupted
from ..progress import ShouldStop
from .console.sink import Sink


def run(options: argparse.Namespace, sink: Sink, should_stop: ShouldStop) -> None:
    """Say what is at a place of a view, and write its Gaussians as a PLY if asked to."""
    from ..cgc.prompts import DEFAULT_COSINE
    from ..rasterize.select import select_backend
    from ..results.pick import pick, view_named
    from ..results.sources import segments_of_source, splat_of_source, views_of_source
    from ..splats.ply import write_ply
    from ..splats.select import subset

    splat = splat_of_source(options.source)
    for note in splat.notes:
        sink.say(note)
    gaussians = splat.gaussians
    views = views_of_source(options.source, options.cameras, splat.origin)
    view = view_named(views, options.view)
    backend, why = select_backend(options.backend, sink.report, should_stop)
    sink.say(why)
    cosine = DEFAULT_COSINE if options.min_cosine is None else options.min_cosine
    picked = pick(gaussians, view, options.at, backend, by=options.by, minimum_cosine=cosine)
    count = int(picked.selected.sum())
    found: list[dict[str, object]] = []
    if picked.segments:
        known = segments_of_source(options.source, gaussians, None)
        found = [{"id": one, "name": known[one].name} for one in picked.segments]
    value: dict[str, object] = {"gaussians": count, "segments": found}
    what = ", ".join(f"{one['id']} ({one['name']})" for one in found) or "Gaussians alike"
    sentence = f"{what}: {count:,} Gaussians."
    if should_stop():
        raise Interrupted("pick")
    if options.output is not None:
        write_ply(options.output, subset(gaussians, picked.selected), splat.origin)
        value["file"] = str(options.output)
        sentence = f"{what}: {count:,} Gaussians in {options.output}."
    sink.result(value, sentence)
