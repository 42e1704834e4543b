# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb `segment`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import CgcError
from ..progress import ShouldStop
from .console.sink import Sink
from .correction_arguments import add_corrections
from .shared_arguments import add_backend
from .values import positive, share

if TYPE_CHECKING:
    from ..cgc.corrections.records import Correction
    from ..training.recutting import ClusteredRun
    from ..training.run_folder import RunFolder


def add_arguments(verb: argparse.ArgumentParser) -> None:
    """Add what can be asked of `segment`."""
    verb.add_argument("run", type=Path, metavar="RUN")
    verb.add_argument("--granularity", type=share, metavar="F", help="0 parts … 1 objects")
    verb.add_argument("--min-size", type=positive, metavar="N", help="Gaussians a segment needs")
    add_corrections(verb)
    add_backend(verb)


def run(options: argparse.Namespace, sink: Sink, should_stop: ShouldStop) -> None:
    """Cut the merge tree of a run again, correct its objects, or tell what was corrected."""
    from ..cgc.segments import read_segments
    from ..training.edited_segments import say_what_names_go
    from ..training.recutting import read_clustered, segment_again
    from ..training.run_folder import RunFolder
    from ..training.run_lock import locked

    folder = RunFolder(options.run)
    folder.read_config()  # before a folder that is no run is held
    _check(options)
    if options.corrections:
        _tell(options, sink)
        return
    granularity, minimum_size = options.granularity, options.min_size
    with locked(folder.path, "cut"):
        corrections = None
        say_what_names_go(folder, sink.say)
        if options.changes or options.forget is not None:
            current = read_clustered(folder)
            cut = read_segments(folder.segments).cut if folder.segments.is_file() else None
            if cut is not None:  # a correction is no reason to cut elsewhere
                granularity = cut.granularity if granularity is None else granularity
                minimum_size = cut.minimum_size if minimum_size is None else minimum_size
            corrections = _changed(options, folder, current, sink, should_stop)
        segments = segment_again(
            folder,
            granularity=granularity,
            minimum_size=minimum_size,
            corrections=corrections,
            say=sink.say,
            should_stop=should_stop,
        )
    value: dict[str, object] = {"segments": len(segments.segments)}
    if corrections is not None:
        value["corrections"] = len(corrections)
    sink.result(value, f"{len(segments.segments)} segments in {options.run}.")


def _check(options: argparse.Namespace) -> None:
    """Check options that are of use together only.

    Raises:
        CgcError: one of them is alone.
    """
    from ..results.changes import Add

    adds = sum(isinstance(one, Add) for one in options.changes)
    if (options.name or options.positive or options.negative) and adds != 1:
        raise CgcError(
            "--name, --positive and --negative are for one --add; call the verb once for each."
        )


def _changed(
    options: argparse.Namespace,
    folder: RunFolder,
    current: ClusteredRun,
    sink: Sink,
    should_stop: ShouldStop,
) -> list[Correction]:
    """Return the corrections that the run is to have."""
    from dataclasses import replace

    from ..cgc.corrections.session import without
    from ..cgc.segments import Segments, read_segments
    from ..results.changes import Add
    from ..results.correct import RunCorrector
    from ..results.run_views import RunViews
    from .opening import open_backend, open_mask_model

    kept = list(current.corrections)
    if options.forget is not None:
        numbers = range(1, len(kept) + 1) if options.forget == "all" else [options.forget]
        kept = without(kept, list(numbers))
    views = RunViews(
        folder,
        current.gaussians,
        lambda: open_mask_model(options.model, sink),
        lambda: open_backend(options.backend, sink, should_stop),
        report=sink.report,
        should_stop=should_stop,
    )
    known = read_segments(folder.segments) if folder.segments.is_file() else Segments(())
    corrector = RunCorrector(replace(current, corrections=tuple(kept)), known, views, sink.say)
    for change in options.changes:
        if isinstance(change, Add):
            further, beside = tuple(options.positive), tuple(options.negative)
            corrector.make(replace(change, further=further, beside=beside, name=options.name))
        else:
            corrector.make(change)
    return corrector.corrections


def _tell(options: argparse.Namespace, sink: Sink) -> None:
    """List the corrections of a run."""
    from ..cgc.corrections.apply import correct
    from ..training.recutting import read_clustered
    from ..training.run_folder import RunFolder

    current = read_clustered(RunFolder(options.run))
    clusters = current.clusters
    corrected = correct(
        clusters.found, clusters.found_tree, current.gaussians.means, current.corrections
    )
    listed, lines = [], []
    counts = corrected.counts()
    for number, one in enumerate(current.corrections, start=1):
        name = None if one.name is None else f" “{one.name}”"
        listed.append(
            {"number": number, "kind": one.kind, "text": one.text, "name": one.name,
             "gaussians": counts[number - 1]}
        )  # fmt: skip
        effect = f"{counts[number - 1]:,} Gaussians" if counts[number - 1] else "no effect"
        lines.append(f"{number}: {one.text}{name or ''}, {effect}")
    text = "\n".join(lines) or f"Nothing was corrected in {options.run}."
    sink.result({"corrections": listed}, text)
