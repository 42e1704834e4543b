# SPDX-License-Identifier: GPL-3.0-or-later
"""One segment up or down the merge tree, while all others stay as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...cgc.clusters.granularity import MergeTree
from ...errors import CgcError
from ..common.access import of_collection
from ..splats.objects import clusters_of, indices_of
from .data import all_segments, splats_of
from .edits import merge_segments, split_segment
from .merge_tree import stored_tree
from .regrouping import is_editable

if TYPE_CHECKING:
    from bpy.types import Collection, Object


def join_next(capture: Collection, collection: Collection) -> list[str]:
    """Join a segment with those that the merge tree joins it with next; it becomes pinned.

    A cluster counts for the segment that has most of its Gaussians.

    Returns:
        The names that those segments had.

    Raises:
        CgcError: the tree joins it with nothing else, or the capture has no tree.
    """
    tree = stored_tree(capture)
    segments = [one for one in all_segments(capture) if all(map(is_editable, splats_of(one)))]
    if collection not in segments or of_collection(collection).kind != "SEGMENT":
        raise CgcError(f"{collection.name} is no segment that can be joined; choose another one.")
    owners = _owners(tree, segments)
    own = owners == segments.index(collection)
    kinds = np.array([of_collection(one).kind == "SEGMENT" for one in segments])
    joined = joined_next(tree, own, ~own & (owners >= 0) & kinds[owners])
    others = [segments[number] for number in np.unique(owners[joined])]
    if not others:
        raise CgcError(
            f"{collection.name} is joined with nothing further: no mask shows it with another "
            "segment. Select both and use Merge."
        )
    names = [one.name for one in others]
    merge_segments(capture, others, collection)
    return names


def joined_next(
    tree: MergeTree, own: NDArray[np.bool_], others: NDArray[np.bool_]
) -> NDArray[np.intp]:
    """Return the clusters of others that the first merge with any of them brings to one's own.

    Args:
        tree: of K clusters.
        own: (K + 1,) the clusters that are asked for.
        others: (K + 1,) those that may be joined to them.

    Returns:
        Cluster numbers, none where no merge does it.

    Example:
        >>> merges = np.array([[1, 2], [3, 4], [1, 3]], np.int32)
        >>> tree = MergeTree(4, merges, np.array([0.9, 0.5, 0.2], np.float32))
        >>> own = np.arange(5) == 1
        >>> joined_next(tree, own, ~own).tolist()
        [2]
        >>> own = np.isin(np.arange(5), (1, 2))
        >>> joined_next(tree, own, ~own).tolist()
        [3, 4]
    """
    node = np.arange(tree.count + 1)
    for kept, joined in tree.merges:
        node[node == joined] = kept
        inside = node == kept
        if (inside & own).any() and (inside & others).any():
            return np.flatnonzero(inside & others)
    return np.zeros(0, np.intp)


def split_at(
    capture: Collection, collection: Collection, item: Object, point: int
) -> tuple[Collection, list[Collection]]:
    """Take a segment apart where it was joined last.

    Args:
        capture: of the segment.
        collection: the segment.
        item: one of its splats.
        point: one of the splat's Gaussians.

    Returns:
        The part that has the Gaussian, and all parts.

    Raises:
        CgcError: it is a single cluster, or the capture has no clusters.
    """
    index = int(indices_of(item)[point])
    parts = split_segment(capture, collection)
    here = next(
        part for part in parts if any((indices_of(one) == index).any() for one in splats_of(part))
    )
    return here, parts


def _owners(tree: MergeTree, segments: list[Collection]) -> NDArray[np.intp]:
    """Return which segment has most Gaussians of each cluster (K + 1,), −1 for none and for 0."""
    counts = np.zeros((len(segments), tree.count + 1), np.int64)
    for number, segment in enumerate(segments):
        for item in splats_of(segment):
            clusters = clusters_of(item)
            known = clusters[(clusters > 0) & (clusters <= tree.count)]
            counts[number] += np.bincount(known, minlength=tree.count + 1)
    owners = counts.argmax(axis=0)
    owners[counts.sum(axis=0) == 0] = -1
    return owners
