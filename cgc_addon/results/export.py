# SPDX-License-Identifier: GPL-3.0-or-later
"""A run's splat, or some of its segments, as one PLY that other viewers open."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..errors import Interrupted
from ..progress import ShouldStop, never
from ..splats.ply import write_ply
from ..splats.select import of_segments
from ..training.run_folder import RunFolder
from .sources import read_splat


def export_segments(
    folder: RunFolder,
    output: Path,
    ids: Sequence[int] | None,
    should_stop: ShouldStop = never,
) -> int:
    """Write the Gaussians of some segments and return how many they are.

    Args:
        folder: run.
        output: PLY to write.
        ids: of segments.json, 0 = what belongs to none; None = everything.
        should_stop: asked before anything is written.

    Raises:
        CgcError: no such segment, no segments at all, or the file cannot be written.
        Interrupted: `should_stop` said so.
    """
    gaussians = read_splat(folder)
    if ids is not None:
        gaussians = of_segments(gaussians, ids)
    if should_stop():
        raise Interrupted("export")
    write_ply(output, gaussians)
    return len(gaussians)
