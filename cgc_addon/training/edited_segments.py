# SPDX-License-Identifier: GPL-3.0-or-later
"""Segments that somebody made by hand, written into a run: NumPy alone, for Blender."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..cgc.segments import Segments, describe_edited, read_segments, write_segments
from ..errors import CgcError
from ..files_together import changing_together, finish_change
from ..splats.ply import read_ply, write_ply
from .run_folder import RunFolder
from .run_lock import locked


def write_edited(folder: RunFolder, labels: NDArray[np.int32], known: Segments) -> Segments:
    """Give the Gaussians of a run to segments, in its splat and its list of segments as one.

    Every other number of the splat stays as it is, and so do clusters: `segment` cuts them anew,
    and drops what was done by hand.

    Args:
        folder: of a run.
        labels: (N,) segment of each Gaussian, 0 = none.
        known: names, colours, what is pinned, and where the tree was cut; of all of the labels.

    Returns:
        What was written.

    Raises:
        CgcError: this is no run, another process changes it, it has other Gaussians, or it cannot
            be written; nothing has changed.
    """
    check_complete(folder)
    with locked(folder.path, "edited"):
        gaussians = read_ply(folder.splat).gaussians
        if len(labels) != len(gaussians):
            raise CgcError(
                f"{folder.splat} has {len(gaussians):,} Gaussians, but {len(labels):,} were "
                "edited; import the run again."
            )
        segments = describe_edited(labels, gaussians.features, known)
        with changing_together(folder.path) as changed:
            results = RunFolder(changed)
            write_ply(results.splat, replace(gaussians, segments=labels.astype(np.int32)))
            write_segments(results.segments, segments)
    return segments


def check_complete(folder: RunFolder) -> None:
    """Check that a folder is a run that has a splat.

    Raises:
        CgcError: it is none, or did not get that far.
    """
    if not folder.config.is_file():
        raise CgcError(
            f"{folder.path} is not a run folder: config.json is missing; name a folder that "
            "`train` wrote."
        )
    finish_change(folder.path)
    if not folder.splat.is_file():
        raise CgcError(
            f"{folder.splat} is missing: the run did not get that far; continue training."
        )


def say_if_edited(folder: RunFolder, say: Callable[[str], None]) -> None:
    """Say that segments were made by hand, before they are made anew."""
    if not folder.segments.is_file():
        return
    try:
        edited = read_segments(folder.segments).edited
    except CgcError:  # it will be written anew
        return
    if edited:
        say(
            "The segments of this run were edited by hand; they are made anew, without the edits. "
            "The .blend that they came from still has them."
        )
