# SPDX-License-Identifier: GPL-3.0-or-later
"""Segments that somebody made by hand, written into a run: NumPy alone, for Blender."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..cgc.corrections.records import write_corrections
from ..cgc.segments import Segments, automatic_name, describe_edited, read_segments, write_segments
from ..errors import CgcError
from ..files_together import changing_together, finish_change
from ..splats.ply import read_ply, write_ply
from .corrected_segments import edits_as_corrections
from .run_folder import RunFolder
from .run_lock import locked


def write_edited(folder: RunFolder, labels: NDArray[np.int32], known: Segments) -> Segments:
    """Give the Gaussians of a run to segments, in its splat and its list of segments as one.

    Every other number of the splat stays as it is, and so do clusters. What was made by hand
    becomes the corrections of the run, in place of those it had: `segment` and training keep it.

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
        corrections = edits_as_corrections(folder, gaussians, labels, segments)
        with changing_together(folder.path) as changed:
            results = RunFolder(changed)
            write_ply(results.splat, replace(gaussians, segments=labels.astype(np.int32)))
            write_segments(results.segments, segments)
            write_corrections(results.corrections, corrections)
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


def say_what_names_go(folder: RunFolder, say: Callable[[str], None]) -> None:
    """Say that names are given anew where segments that nobody corrected were named by hand."""
    if not folder.segments.is_file():
        return
    try:
        segments = read_segments(folder.segments)
    except CgcError:  # it will be written anew
        return
    named = [
        one.name
        for one in segments.segments
        if not one.pinned and one.name != automatic_name(one.id)
    ]
    if segments.edited and named:
        say(
            f"Segments that were named but not pinned get new names: {', '.join(named[:5])}. "
            "The .blend that they came from still has them."
        )
