# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line: which verbs there are. What can be asked of each stands beside its `run`."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import NamedTuple

from ..progress import ShouldStop
from ..version import __version__
from . import (
    blend,
    demo,
    draw,
    engine,
    evaluate,
    export,
    from_photos,
    masks,
    models,
    pick,
    probe,
    render,
    segment,
    solve,
    train,
    undistort,
)
from .console.sink import Sink


class _Verb(NamedTuple):
    name: str
    help: str
    run: Callable[[argparse.Namespace, Sink, ShouldStop], None]
    add_arguments: Callable[[argparse.ArgumentParser], None] | None = None


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Parse the command line; `verb` of the result is the function to call.

    Raises:
        SystemExit: 0 after --help or --version, 2 on a mistake, as argparse does.
    """
    parser = argparse.ArgumentParser(
        prog="cgc",
        description="Photo captures become Gaussian splats separated into objects.",
    )
    parser.add_argument("--version", action="version", version=f"cgc {__version__}")
    parser.set_defaults(blend_writer=blend.no_writer, kept=None)
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    for verb in _verbs():
        added = verbs.add_parser(verb.name, help=verb.help)
        if verb.add_arguments:
            verb.add_arguments(added)
        added.add_argument("--json", action="store_true", help="print JSON lines for machines")
        added.set_defaults(verb=verb.run)
    return parser.parse_args(list(arguments))


def _verbs() -> Sequence[_Verb]:
    return (
        _Verb("demo", "the whole way on the bundled sample", demo.run, demo.add_arguments),
        _Verb(
            "solve",
            "photos or a video become a dataset with cameras",
            solve.run,
            solve.add_arguments,
        ),
        _Verb(
            "masks",
            "label maps of the photos, made here or brought along",
            masks.run,
            masks.add_arguments,
        ),
        _Verb(
            "models",
            "mask models: which there are, and getting one",
            models.run,
            models.add_arguments,
        ),
        _Verb(
            "from-photos",
            "photos or a video become a segmented splat",
            from_photos.run,
            from_photos.add_arguments,
        ),
        _Verb(
            "train",
            "photos, cameras and masks become a segmented splat",
            train.run,
            train.add_arguments,
        ),
        _Verb(
            "segment",
            "cut the clusters again, without training",
            segment.run,
            segment.add_arguments,
        ),
        _Verb("render", "pictures, label maps, features, depth", render.run, render.add_arguments),
        _Verb(
            "pick", "what is at a place of a view, and its Gaussians", pick.run, pick.add_arguments
        ),
        _Verb(
            "evaluate",
            "PSNR, SSIM and, with gt/, segmentation scores",
            evaluate.run,
            evaluate.add_arguments,
        ),
        _Verb("export", "the splat or some segments as one file", export.run, export.add_arguments),
        _Verb(
            "undistort",
            "photos and cameras without lens distortion",
            undistort.run,
            undistort.add_arguments,
        ),
        _Verb(
            "blend", "a .blend with cameras, points and segments", blend.run, blend.add_arguments
        ),
        _Verb("draw", "one frame of a scene, as Blender asks for it", draw.run, draw.add_arguments),
        _Verb("probe", "versions, devices, backends, what is missing", probe.run),
        _Verb(
            "install-engine",
            "packages for this Python, also mended, updated",
            engine.run_install,
            engine.add_install_arguments,
        ),
        _Verb(
            "check-engine",
            "whether the installed engine is whole and works",
            engine.run_check,
            engine.add_check_arguments,
        ),
        _Verb(
            "remove-engine",
            "delete the installed engine, all of it",
            engine.run_remove,
            engine.add_remove_arguments,
        ),
    )
