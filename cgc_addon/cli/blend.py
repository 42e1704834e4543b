# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb `blend`: a run as a .blend."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from ..errors import CgcError, Interrupted
from ..progress import Progress, Reporter, ShouldStop
from .blender_program import find_blender, run_in_blender
from .console.sink import Sink

COUNTS = ("cameras", "points", "gaussians", "segments", "bytes")


class BlendSummary(Protocol):
    """What a .blend holds: the counts of `blender.blend_file.BlendSummary`."""

    @property
    def cameras(self) -> int: ...
    @property
    def points(self) -> int: ...
    @property
    def gaussians(self) -> int: ...
    @property
    def segments(self) -> int: ...
    @property
    def bytes(self) -> int: ...


class BlendWriter(Protocol):
    """`blender.blend_file.write_blend`, which is there inside Blender alone."""

    def __call__(
        self,
        run: Path,
        dataset: Path | None,
        output: Path,
        report: Reporter,
        say: Callable[[str], object],
    ) -> BlendSummary: ...


def no_writer() -> BlendWriter | None:
    """Stand for a process that is no Blender."""
    return None


def add_arguments(verb: argparse.ArgumentParser) -> None:
    """Add what can be asked of `blend`."""
    verb.add_argument("run", type=Path, metavar="RUN")
    verb.add_argument(
        "--dataset", type=Path, metavar="DATASET", help="default: the one the run was trained on"
    )
    verb.add_argument("-o", "--output", type=Path, required=True, metavar="FILE.blend")
    verb.add_argument(
        "--blender", metavar="PATH", help="a Blender, or a Python that has the module bpy"
    )


def run(options: argparse.Namespace, sink: Sink, should_stop: ShouldStop) -> None:
    """Write a run as a .blend, in this Blender or in another one."""
    writer = options.blend_writer() if options.blender is None else None
    counts = make_blend(
        options.run, options.dataset, options.output, options.blender, writer, sink, should_stop
    )
    sink.result({**counts, "file": str(options.output)}, describe(counts, options.output))


def make_blend(
    run_folder: Path,
    dataset: Path | None,
    output: Path,
    blender: str | None,
    writer: BlendWriter | None,
    sink: Sink,
    should_stop: ShouldStop,
) -> dict[str, Any]:
    """Write a .blend and return its counts: those of `BlendSummary`.

    Args:
        run_folder: the run, or a splat.
        dataset: its capture, None for the one that the run names.
        output: the .blend.
        blender: the Blender to do it, None for whichever is found.
        writer: does it in this process, if this is a Blender.
        sink: is told progress and notes.
        should_stop: asked while another Blender is at work.

    Raises:
        CgcError: something cannot be read or written, or there is no Blender.
        Interrupted: `should_stop` said so.
    """
    if writer is not None:
        summary = writer(run_folder, dataset, output, sink.report, sink.say)
        return {name: getattr(summary, name) for name in COUNTS}
    arguments = ["blend", str(run_folder.absolute()), "-o", str(output.absolute())]
    if dataset is not None:
        arguments += ["--dataset", str(dataset.absolute())]
    counts: dict[str, Any] = {}

    def receive(message: dict[str, Any]) -> None:
        if should_stop():
            raise Interrupted("blend")
        kind = message.pop("type")
        if kind == "progress":
            sink.report(Progress(message["stage"], message["done"], message["total"]))
        elif kind == "note":
            sink.say(message["text"])
        elif kind == "error":
            raise CgcError(message["text"])
        elif kind == "interrupted":
            raise Interrupted("blend")
        elif kind == "result":
            counts.update(message)

    program = find_blender(blender)
    try:
        code = run_in_blender(program, arguments, receive)
    except CgcError:
        if should_stop():  # the terminal has told Blender, too, which then ends without a word
            raise Interrupted("blend") from None
        raise
    if should_stop() and not counts:
        raise Interrupted("blend")
    if code != 0 or not counts:
        raise CgcError(f"{program.path} ended with exit code {code} before the .blend was made.")
    counts.pop("file")
    return counts


def describe(counts: dict[str, Any], output: Path) -> str:
    """Return a sentence for people."""
    return (
        f"{output}: {counts['cameras']} cameras, {counts['points']:,} points, "
        f"{counts['gaussians']:,} Gaussians in {counts['segments']} segments, "
        f"{counts['bytes'] / 1e6:.1f} MB."
    )
