# SPDX-License-Identifier: GPL-3.0-or-later
"""Merge pieces by evidence that has a sign: for one thing above 0, for two below.

Average linkage of such weights, stopped at 0, needs no threshold of its own (Bailoni et al. 2022,
GASP). Here it goes on below 0, down to one group for all that touches, so that a tree is left.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MINIMUM_CONTACTS = 2
"""Neighbouring pairs of Gaussians that two pieces need to touch; they are small."""
_APART = -np.inf


@dataclass(frozen=True, eq=False)
class Linkage:
    """In which order K pieces become fewer, strongest evidence first."""

    count: int
    """K."""
    merges: NDArray[np.int32]
    """(M, 2) labels 1..K: the second joins the first, which keeps its label."""
    weights: NDArray[np.float64]
    """(M,) mean evidence between the two."""


def signed_linkage(
    evidence: NDArray[np.floating],
    importance: NDArray[np.floating],
    touching: NDArray[np.integer],
) -> Linkage:
    """Merge the two touching groups with the highest mean evidence, again and again.

    Args:
        evidence: (K, K) symmetric, of any sign.
        importance: (K, K) symmetric ≥ 0, how much each pair counts in the mean of two groups.
        touching: (K, K) symmetric, contacts between pieces.

    Example:
        >>> evidence = np.array([[0, 2, -1], [2, 0, -3], [-1, -3, 0.0]])
        >>> found = signed_linkage(evidence, np.ones((3, 3)), np.full((3, 3), 5))
        >>> found.merges.tolist(), found.weights.tolist()
        ([[1, 2], [1, 3]], [2.0, -2.0])
    """
    count = len(evidence)
    importance = np.where(touching > 0, importance, 0.0).astype(np.float64)
    sums = importance * evidence
    touching = np.array(touching)

    def means(rows: NDArray[np.int64] | slice) -> NDArray[np.float64]:
        joined = (touching[rows] >= MINIMUM_CONTACTS) & (importance[rows] > 0)
        return np.where(joined, sums[rows] / np.maximum(importance[rows], 1e-30), _APART)

    linked = means(slice(None))
    np.fill_diagonal(linked, _APART)
    best = linked.max(axis=1, initial=_APART)
    merges: list[tuple[int, int]] = []
    weights: list[float] = []
    while count and best.max() > _APART:
        first = int(best.argmax())
        second = int(linked[first].argmax())
        kept, joined = min(first, second), max(first, second)
        merges.append((kept + 1, joined + 1))
        weights.append(float(best[first]))
        for table in (sums, importance, touching):
            table[kept] += table[joined]
            table[:, kept] += table[:, joined]
            table[joined] = table[:, joined] = 0
        touched = np.nonzero((linked[kept] > _APART) | (linked[joined] > _APART))[0]
        linked[joined] = linked[:, joined] = _APART
        linked[kept] = means(np.array([kept]))[0]
        linked[kept, kept] = _APART
        linked[:, kept] = linked[kept]
        present = np.nonzero(linked[kept] > _APART)[0]
        changed = np.union1d(touched, np.append(present, [kept, joined]))
        best[changed] = linked[changed].max(axis=1)
    return Linkage(count, np.array(merges, np.int32).reshape(-1, 2), np.array(weights, np.float64))
