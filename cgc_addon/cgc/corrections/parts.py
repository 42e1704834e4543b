# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of an object that a click means, by the merge tree below the object."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..clusters.granularity import MergeTree
from ..settings import MINIMUM_SIZE

LEAST_REST = 0.03
"""Of the object: a part that leaves less of it is the object but for crumbs."""


def part_of(
    tree: MergeTree, clusters: NDArray[np.integer], cluster: int
) -> NDArray[np.bool_] | None:
    """Return the largest part of an object that has one of its clusters and leaves some of it.

    Merges are undone from the last one on; the side without the cluster is what is left.

    Args:
        tree: of K clusters.
        clusters: (M,) of the object's Gaussians, 0 = none.
        cluster: one of them, > 0.

    Returns:
        (M,) whether each Gaussian is of the part; None where the tree knows of no such part.

    Example:
        >>> merges = np.array([[1, 2], [1, 3]], np.int32)
        >>> tree = MergeTree(3, merges, np.array([0.9, 0.5], np.float32))
        >>> clusters = np.repeat([1, 2, 3], 20)
        >>> part_of(tree, clusters, 1).reshape(3, 20).any(axis=1).tolist()
        [True, True, False]
        >>> part_of(tree, clusters[:40], 1).reshape(2, 20).any(axis=1).tolist()
        [True, False]
        >>> part_of(tree, clusters[:20], 1) is None
        True
    """
    sizes = np.bincount(clusters, minlength=tree.count + 1)
    for made in range(len(tree.merges), -1, -1):
        label = MergeTree(tree.count, tree.merges[:made], tree.heights[:made]).cut(-np.inf)
        with_it = (label == label[cluster]) & (sizes > 0)
        with_it[0] = False
        size = int(sizes[with_it].sum())
        if size < MINIMUM_SIZE:
            return None
        if len(clusters) - size >= max(LEAST_REST * len(clusters), 1):
            return with_it[clusters]
    return None
