# SPDX-License-Identifier: GPL-3.0-or-later
"""Which Gaussians of an object float apart from it.

Gaussians hang together where their extents overlap, over however many others in between; what hangs
together is a piece. An object may have several pieces of weight, such as a pair of shoes. Crumbs,
that have hardly any Gaussians against its largest piece, do not belong to it.

NumPy alone: Blender recuts and cleans without the worker.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .pieces import pieces

REACH = 3.0
"""Standard deviations to which a Gaussian extends: an opaque one has 1 % of its opacity there."""

MINIMUM_SHARE = 0.02
"""Of the Gaussians of the largest piece; a piece with fewer is a crumb."""

MINIMUM_PIECE = 5
"""Gaussians; a piece with fewer is a crumb as well, where the largest has five times as many."""


def isolated(
    means: NDArray[np.floating],
    scales: NDArray[np.floating],
    quats: NDArray[np.floating],
    groups: NDArray[np.integer] | None = None,
    *,
    reach: float = REACH,
    minimum_share: float = MINIMUM_SHARE,
) -> NDArray[np.bool_]:
    """Return which Gaussians (N,) are in crumbs.

    Args:
        means: (N, 3) scene units.
        scales: (N, 3) standard deviations along their axes, scene units.
        quats: (N, 4) wxyz, any length.
        groups: (N,) ≥ 0, the object of each; those of 0, which is none, are never isolated. One
            object if None.
        reach: see `pieces`.
        minimum_share: 0..1 of the Gaussians of the largest piece of the same object.

    Example:
        >>> means = np.array([[0, 0, 0], [1, 0, 0], [9, 0, 0.0]])
        >>> balls, upright = np.full((3, 3), 0.2), np.tile([1, 0, 0, 0.0], (3, 1))
        >>> isolated(means, balls, upright, minimum_share=0.6).tolist()
        [False, False, True]
    """
    if groups is None:
        groups = np.ones(len(means), np.int32)
    found = np.zeros(len(means), np.bool_)
    some = np.flatnonzero(groups > 0)
    group = groups[some]
    piece = pieces(means[some], scales[some], quats[some], group, reach=reach)
    sizes = np.bincount(piece, minlength=len(some))[piece]
    largest = np.zeros(int(group.max(initial=0)) + 1, np.int64)
    np.maximum.at(largest, group, sizes)
    needed = np.maximum(minimum_share * largest, np.minimum(MINIMUM_PIECE, largest / 5))
    found[some] = sizes < needed[group]
    return found
