# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb `pick`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import CgcError, Interrupted
from ..masks.models.known import DEFAULT_MODEL
from ..progress import ShouldStop
from .console.sink import Sink
from .shared_arguments import add_backend
from .values import cosine, natural, place

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ..results.pick import Picked
    from ..splats.gaussians import Gaussians
    from ..splats.loaded import LoadedSplat


def add_arguments(verb: argparse.ArgumentParser) -> None:
    """Add what can be asked of `pick`."""
    verb.add_argument("source", type=Path, metavar="RUN|SPLAT", help="a run folder, or any splat")
    verb.add_argument("--view", metavar="NAME", help="of a photo of the cameras")
    verb.add_argument(
        "--at",
        type=place,
        nargs="+",
        metavar="X,Y",
        help="pixels from the upper left corner of the view, as `render` draws it",
    )
    verb.add_argument(
        "--by",
        choices=("segment", "feature", "mask"),
        default="segment",
        help="feature: all Gaussians that look alike, whatever segment they are in; mask: the mask "
        "model is asked what is there, in photos all round",
    )
    verb.add_argument(
        "--gaussian",
        type=natural,
        metavar="N",
        help="by mask, in place of --view and --at: this one of the run's splat.ply",
    )
    verb.add_argument("--model", metavar="NAME|PATH", help=f"default: {DEFAULT_MODEL}")
    verb.add_argument(
        "--min-cosine", type=cosine, metavar="C", help="how much alike, -1 to 1; default: 0.7"
    )
    verb.add_argument(
        "--cameras",
        type=Path,
        metavar="PATH",
        help="a dataset folder or a cameras.json; default: the views the run was trained on",
    )
    verb.add_argument("-o", "--output", type=Path, metavar="FILE.ply", help="write them there")
    verb.add_argument("--indices", type=Path, metavar="FILE.npy", help="write their numbers there")
    add_backend(verb)


def run(options: argparse.Namespace, sink: Sink, should_stop: ShouldStop) -> None:
    """Say what is at a place of a view, and write its Gaussians as a PLY if asked to."""
    from ..cgc.prompts import DEFAULT_COSINE
    from ..rasterize.select import select_backend
    from ..results.pick import Picked, pick, view_named
    from ..results.sources import splat_of_source, views_of_source

    splat = splat_of_source(options.source)
    for note in splat.notes:
        sink.say(note)
    gaussians = splat.gaussians
    if options.by == "mask":
        _write(
            options,
            sink,
            splat,
            Picked((), _asked(options, gaussians, sink, should_stop)),
            should_stop,
        )
        return
    if options.view is None or not options.at:
        raise CgcError("Name a view with --view, and places of it with --at.")
    views = views_of_source(options.source, options.cameras, splat.origin)
    view = view_named(views, options.view)
    backend, why = select_backend(options.backend, sink.report, should_stop)
    sink.say(why)
    cosine = DEFAULT_COSINE if options.min_cosine is None else options.min_cosine
    picked = pick(gaussians, view, options.at, backend, by=options.by, minimum_cosine=cosine)
    _write(options, sink, splat, picked, should_stop)


def _asked(
    options: argparse.Namespace, gaussians: Gaussians, sink: Sink, should_stop: ShouldStop
) -> NDArray[np.bool_]:
    """Ask the mask model what is there, in the photos of a run."""
    from ..results.changes import Place
    from ..results.run_views import RunViews
    from ..training.run_folder import RunFolder
    from .opening import open_backend, open_mask_model

    views = RunViews(
        RunFolder(options.source),
        gaussians,
        lambda: open_mask_model(options.model, sink),
        lambda: open_backend(options.backend, sink, should_stop),
        report=sink.report,
        should_stop=should_stop,
    )
    if options.gaussian is not None:
        places = [views.place_of(options.gaussian)]
    elif options.view is not None and options.at:
        places = [Place(x, y, options.view) for x, y in options.at]
    else:
        raise CgcError("Name a view with --view and places of it with --at, or a --gaussian.")
    return views.ask_at(places)


def _write(
    options: argparse.Namespace,
    sink: Sink,
    splat: LoadedSplat,
    picked: Picked,
    should_stop: ShouldStop,
) -> None:
    """Say what was picked, and write it if asked to."""
    import numpy as np

    from ..files import replacing
    from ..results.sources import segments_of_source
    from ..splats.ply import write_ply
    from ..splats.select import subset

    gaussians, count = splat.gaussians, int(picked.selected.sum())
    found: list[dict[str, object]] = []
    if picked.segments:
        known = segments_of_source(options.source, gaussians, None)
        found = [{"id": one, "name": known[one].name} for one in picked.segments]
    value: dict[str, object] = {"gaussians": count, "segments": found}
    alike = "What the mask model sees" if options.by == "mask" else "Gaussians alike"
    what = ", ".join(f"{one['id']} ({one['name']})" for one in found) or alike
    sentence = f"{what}: {count:,} Gaussians."
    if should_stop():
        raise Interrupted("pick")
    if options.indices is not None:
        with replacing(options.indices) as temporary, temporary.open("wb") as file:
            np.save(file, np.flatnonzero(picked.selected).astype(np.int32))
    if options.output is not None:
        write_ply(options.output, subset(gaussians, picked.selected), splat.origin)
        value["file"] = str(options.output)
        sentence = f"{what}: {count:,} Gaussians in {options.output}."
    sink.result(value, sentence)
