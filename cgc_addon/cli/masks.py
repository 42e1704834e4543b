# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb `masks`: label maps for the photos of a dataset, made here or brought along."""

from __future__ import annotations

import argparse
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..choices import names
from ..dataset.folder import DatasetFolder
from ..errors import CgcError
from ..leftovers import remove_leftovers
from ..masks.levels import LEVELS
from ..masks.models.known import DEFAULT_MODEL, KNOWN
from ..progress import Progress, ShouldStop
from .console.sink import Sink
from .values import positive

if TYPE_CHECKING:
    from ..masks.generate import MaskSettings

OF_MODELS = ("only", "levels", "points_per_side")
"""Options that say how a model is to look at photos."""


def add_arguments(verb: argparse.ArgumentParser) -> None:
    """Add what can be asked of `masks`."""
    verb.add_argument("dataset", type=Path, metavar="DATASET")
    origin = verb.add_mutually_exclusive_group()
    origin.add_argument(
        "--model",
        metavar="NAME|PATH",
        help=f"{', '.join(KNOWN)}, or a checkpoint or ONNX file; default: {DEFAULT_MODEL}",
    )
    origin.add_argument(
        "--import",
        type=Path,
        dest="source",
        metavar="FOLDER",
        help="take the masks of another program instead",
    )
    verb.add_argument(
        "--levels", choices=names(LEVELS), help="both: finer maps into masks_parts/ as well"
    )
    verb.add_argument(
        "--only",
        nargs="+",
        metavar="new|PATTERN",
        help="photos by name, as left/*.jpg; new, the default, means all without a label map",
    )
    verb.add_argument(
        "--points-per-side",
        type=positive,
        metavar="N",
        help="of the grid of points that the model is asked; more finds smaller things",
    )
    verb.add_argument("--overwrite", action="store_true", help="replace label maps that are there")


def run(options: argparse.Namespace, sink: Sink, should_stop: ShouldStop) -> None:
    """Make label maps with a mask model, or import those of another program."""
    from ..dataset.solved import dataset_at

    options.dataset = dataset_at(options.dataset)
    folder = DatasetFolder(options.dataset)
    for maps in (folder.masks, folder.parts, folder.answers):
        for place in (maps, *(path for path in maps.rglob("*") if path.is_dir())):
            remove_leftovers(place)
    if options.source is not None:
        _import(options, sink, should_stop)
    else:
        _make(options, sink, should_stop)


def _import(options: argparse.Namespace, sink: Sink, should_stop: ShouldStop) -> None:
    from ..masks.foreign.importing import import_label_maps

    for name in OF_MODELS:
        if getattr(options, name) is not None:
            raise CgcError(
                f"--{name.replace('_', '-')} is for masks that are made here; leave it out, or "
                "leave out --import."
            )
    summary = import_label_maps(
        options.source,
        options.dataset,
        overwrite=options.overwrite,
        report=sink.report,
        should_stop=should_stop,
    )
    for sentence in summary.sentences():
        sink.say(sentence)
    sink.result(
        {
            "folder": str(summary.folder),
            "kind": summary.kind,
            "matched": summary.how,
            "imported": len(summary.imported),
            "kept": len(summary.kept),
            "without": list(summary.without),
            "strangers": list(summary.strangers),
        },
        f"{len(summary.imported)} label maps in {summary.folder}.",
    )


def _make(options: argparse.Namespace, sink: Sink, should_stop: ShouldStop) -> None:
    from ..masks.generate import make_masks
    from ..masks.models.registry import open_model

    sink.report(Progress("Opening the mask model", 0, 0))
    summary = make_masks(
        options.dataset,
        open_model(options.model or DEFAULT_MODEL),
        mask_settings(options),
        only=options.only or (),
        overwrite=options.overwrite,
        report=sink.report,
        say=sink.say,
        should_stop=should_stop,
    )
    sink.result(asdict(summary), summary.sentence(options.dataset))


def mask_settings(options: argparse.Namespace) -> MaskSettings:
    """Return the settings that the command line asks for; what it leaves out is as it is there."""
    from ..masks.generate import MaskSettings
    from ..masks.proposals import ProposalSettings

    proposals = ProposalSettings()
    if options.points_per_side is not None:
        proposals = replace(proposals, points_per_side=options.points_per_side)
    settings = MaskSettings(proposals=proposals)
    return settings if options.levels is None else replace(settings, levels=options.levels)
