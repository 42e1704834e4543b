# SPDX-License-Identifier: GPL-3.0-or-later
"""The corrections of a run, and its files with them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..cgc.clusters.cluster_file import read_all_clusters, write_clusters
from ..cgc.clusters.granularity import MergeTree
from ..cgc.corrections.apply import correct, described_as_corrected
from ..cgc.corrections.records import LONGEST_TEXT, Correction, read_corrections, write_corrections
from ..cgc.corrections.shapes import shape_of
from ..cgc.segments import Cut, Segments, automatic_name, describe_segments, read_segments
from ..cgc.segments import write_segments as write_listed
from ..errors import CgcError
from ..splats.gaussians import Gaussians
from ..splats.ply import read_ply, write_ply
from .run_folder import RunFolder


def corrections_of(folder: RunFolder) -> tuple[Correction, ...]:
    """Return the corrections of a run, those of an edited run of earlier versions included.

    Raises:
        CgcError: they cannot be read.
    """
    kept = read_corrections(folder.corrections)
    if kept or not (folder.segments.is_file() and folder.splat.is_file()):
        return kept
    try:
        listed = read_segments(folder.segments)
        gaussians = read_ply(folder.splat).gaussians
    except CgcError:  # both are about to be written anew
        return kept
    if not listed.edited or gaussians.segments is None:
        return kept
    return edits_as_corrections(folder, gaussians, gaussians.segments, listed)


def edits_as_corrections(
    folder: RunFolder, gaussians: Gaussians, labels: NDArray[np.int32], segments: Segments
) -> tuple[Correction, ...]:
    """Return what was edited in a run as corrections.

    Args:
        folder: the run, whose clusters say what there was without edits.
        gaussians: N of it.
        labels: (N,) segment of each, as edited.
        segments: as edited.

    Raises:
        CgcError: files of the run are damaged.
    """
    made = pinned_as_corrections(
        gaussians.means, labels, segments, read_corrections(folder.corrections)
    )
    if segments.cut is None or not folder.clusters.is_file():
        return made
    clusters = read_all_clusters(folder.clusters)
    if len(clusters.found) != len(labels):
        return made
    came_out = clusters.found_tree.labels(
        clusters.found,
        segments.cut.granularity,
        segments.cut.minimum_size,
        gaussians=gaussians,
    )
    unassigned = (labels == 0) & (came_out > 0)
    if not unassigned.any():
        return made
    shape = shape_of(gaussians.means, unassigned)
    return (Correction("unassign", "unassigned by hand", shape), *made)


def keep_edits(folder: RunFolder) -> None:
    """Keep what was edited in a run of an earlier version as corrections, before it is trained.

    Raises:
        CgcError: the folder cannot be written.
    """
    if not folder.corrections.is_file() and (edited := corrections_of(folder)):
        write_corrections(folder.corrections, edited)


def pinned_as_corrections(
    means: NDArray[np.floating],
    labels: NDArray[np.int32],
    segments: Segments,
    known: Sequence[Correction] = (),
) -> tuple[Correction, ...]:
    """Return each segment that was made by hand as a correction.

    Args:
        means: (N, 3) scene units.
        labels: (N,) segment of each Gaussian, 0 = none.
        segments: names and colours; pinned ones were made by hand.
        known: corrections that were kept before: of one with the same Gaussians it stays known how
            it came about.
    """
    made = []
    for segment in segments.segments:
        members = labels == segment.id
        if not segment.pinned or not members.any():
            continue
        shape = shape_of(means, members)
        own = shape.points[shape.inside]
        name = None if segment.name == automatic_name(segment.id) else segment.name[:LONGEST_TEXT]
        one = Correction("object", f"edited {segment.name}"[:LONGEST_TEXT], shape)
        for earlier in known:
            if earlier.kind != "unassign" and np.array_equal(earlier.shape.own, own):
                one = earlier
        made.append(replace(one, name=name, color=segment.color))
    return tuple(made)


def write_corrected(
    results: RunFolder,
    gaussians: Gaussians,
    found: NDArray[np.int32],
    tree: MergeTree,
    cut: Cut,
    corrections: Sequence[Correction],
    had_corrections: bool,
    say: Callable[[str], None],
) -> Segments:
    """Cut the tree beside the corrected objects, and write all files of a run that say of objects.

    Args:
        results: where to; the caller changes these files together.
        gaussians: N, with features.
        found: (N,) clusters as training found them, 0 = none.
        tree: of these.
        cut: where the tree is cut.
        corrections: to keep.
        had_corrections: whether the run has a file of them, which then is to say what is left.
        say: takes sentences that the user should read.
    """
    assert gaussians.features is not None
    corrected = correct(found, tree, gaussians.means, corrections)
    for number in corrected.missing:
        say(
            f"Correction {number} ({corrections[number - 1].text}) is of something that is not in "
            "this splat; it has no effect."
        )
    labels = corrected.tree.labels(
        corrected.labels, cut.granularity, cut.minimum_size, gaussians=gaussians
    )
    segments = describe_segments(labels, gaussians.features, cut)
    segments = described_as_corrected(segments, labels, corrected, corrections)
    if corrections:
        write_clusters(results.clusters, corrected.labels, corrected.tree, found)
    else:
        write_clusters(results.clusters, found, tree)
    if corrections or had_corrections:
        write_corrections(results.corrections, corrections)
    write_ply(results.splat, replace(gaussians, segments=labels))
    write_listed(results.segments, segments)
    return segments
