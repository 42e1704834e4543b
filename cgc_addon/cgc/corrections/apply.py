# SPDX-License-Identifier: GPL-3.0-or-later
"""Clusters as training found them, with the objects that a person corrected set apart.

Each corrected object becomes a cluster of its own that no merge has. So every cut has it just as it
was corrected, and all others are what they would be without: the slider stays monotone. A later
correction takes from an earlier one what they both have.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..clusters.granularity import MergeTree
from ..segments import Segments
from .records import Correction
from .shapes import find_again

MINIMUM_FOUND = 0.5
"""Share of the points of an object that must have Gaussians near: else it is not in this splat."""


@dataclass(frozen=True, eq=False)
class Corrected:
    """Clusters and tree, with C corrections."""

    labels: NDArray[np.int32]
    """(N,) cluster of each Gaussian; that of correction c, from 1 on, is K + c of K found ones."""
    tree: MergeTree
    found: NDArray[np.int32]
    """(N,) the cluster that training found."""
    members: NDArray[np.int32]
    """(N,) the correction, from 1 on, that decides over each Gaussian; 0 = none."""
    missing: tuple[int, ...]
    """Corrections, from 1 on, whose object is not in this splat."""

    def counts(self) -> list[int]:
        """Return over how many Gaussians each correction decides."""
        return np.bincount(self.members, minlength=self.tree.fixed + 1)[1:].tolist()


def correct(
    found: NDArray[np.int32],
    tree: MergeTree,
    means: NDArray[np.floating],
    corrections: Sequence[Correction],
) -> Corrected:
    """Set the corrected objects apart.

    Args:
        found: (N,) clusters of training, 1..K, 0 = none.
        tree: of K clusters.
        means: (N, 3) scene units.
        corrections: in the order in which they were made.
    """
    labels = found.copy()
    members = np.zeros(len(found), np.int32)
    missing = []
    for number, one in enumerate(corrections, start=1):
        again = find_again(one.shape, means, found)
        if again.share < MINIMUM_FOUND:
            missing.append(number)
            continue
        members[again.members] = number
        labels[again.members] = 0 if one.kind == "unassign" else tree.count + number
    count = tree.count + len(corrections)
    together = MergeTree(count, tree.merges, tree.heights, len(corrections))
    return Corrected(labels, together, found, members, tuple(missing))


def described_as_corrected(
    segments: Segments,
    labels: NDArray[np.int32],
    corrected: Corrected,
    corrections: Sequence[Correction],
) -> Segments:
    """Return segments with the names and colours of corrected ones, which are pinned.

    Args:
        segments: as they were described.
        labels: (N,) segment of each Gaussian.
        corrected: the clusters.
        corrections: that were made.
    """
    correction_of = {}
    for number in np.unique(corrected.members[(corrected.members > 0) & (labels > 0)]).tolist():
        own = labels[corrected.members == number]
        correction_of[int(own[0])] = corrections[number - 1]
    described = []
    for segment in segments.segments:
        one = correction_of.get(segment.id)
        if one is None:
            described.append(segment)
            continue
        name, color = one.name or segment.name, one.color or segment.color
        described.append(replace(segment, name=name, color=color, pinned=True))
    return replace(segments, segments=tuple(described))
