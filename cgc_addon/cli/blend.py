# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb `blend`: a run as a .blend."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..errors import CgcError, Interrupted
from ..progress import Progress, ShouldStop
from .blender_program import find_blender, run_in_blender, runs_in_blender
from .console.sink import Sink


def run(options: argparse.Namespace, sink: Sink, should_stop: ShouldStop) -> None:
    """Write a run as a .blend, in this Blender or in another one."""
    counts = make_blend(
        options.run, options.dataset, options.output, options.blender, sink, should_stop
    )
    sink.result({**counts, "file": str(options.output)}, describe(counts, options.output))


def make_blend(
    run_folder: Path,
    dataset: Path | None,
    output: Path,
    blender: str | None,
    sink: Sink,
    should_stop: ShouldStop,
) -> dict[str, Any]:
    """Write a .blend and return its counts: those of `blender.blend_file.BlendSummary`.

    Args:
        run_folder: the run, or a splat.
        dataset: its capture, None for the one that the run names.
        output: the .blend.
        blender: the Blender to do it, None for this one, else whichever is found.
        sink: is told progress and notes.
        should_stop: asked while another Blender is at work.

    Raises:
        CgcError: something cannot be read or written, or there is no Blender.
        Interrupted: `should_stop` said so.
    """
    if blender is None and runs_in_blender():
        from ..blender.blend_file import write_blend

        return asdict(write_blend(run_folder, dataset, output, sink.report, sink.say))

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
