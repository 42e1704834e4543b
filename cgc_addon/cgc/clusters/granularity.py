# SPDX-License-Identifier: GPL-3.0-or-later
"""The order in which clusters become objects, and the cut through it that a granularity means.

NumPy alone: Blender cuts the tree itself, without the worker.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...splats.gaussians import Gaussians
from ..isolation import isolated
from ..settings import DEFAULT_GRANULARITY, MINIMUM_SIZE

_LOWEST_THRESHOLD = 0.08


@dataclass(frozen=True, eq=False)
class MergeTree:
    """In which order K groups become fewer."""

    count: int
    """K."""
    merges: NDArray[np.int32]
    """(M, 2) labels 1..K: the second joins the first, which keeps its label."""
    heights: NDArray[np.float32]
    """(M,) q in 0..1 at which each merge is made, never rising."""
    fixed: int = 0
    """So many of the last groups are objects that a person corrected: no merge has them, and no
    cut takes anything from them."""

    def labels(
        self,
        clusters: NDArray[np.integer],
        granularity: float = DEFAULT_GRANULARITY,
        minimum_size: int = MINIMUM_SIZE,
        *,
        gaussians: Gaussians | None = None,
    ) -> NDArray[np.int32]:
        """Return the segment of each Gaussian (N,): 1 = largest, 0 = none.

        Args:
            clusters: (N,) group of each Gaussian, 1..K, 0 = none.
            granularity: 0 = parts … 1 = whole objects, see `merge_threshold`.
            minimum_size: Gaussians; smaller segments become 0, but for fixed ones.
            gaussians: N; those that float apart from the rest of their segment become 0, too. None
                where nobody knows where they are.

        Raises:
            ValueError: granularity is not within 0..1.
        """
        labels = self.cut(merge_threshold(granularity))[clusters]
        first_fixed = self.count - self.fixed + 1
        if gaussians is not None:
            scales = np.exp(gaussians.log_scales)
            afloat = isolated(gaussians.means, scales, gaussians.quats, labels)
            labels[afloat & (labels < first_fixed)] = 0
        return ordered_by_size(labels, minimum_size, kept_from=first_fixed)

    def cut(self, threshold: float) -> NDArray[np.int32]:
        """Return the label of each group once all merges with q ≥ `threshold` are made.

        Args:
            threshold: 0..1; above 1 nothing is merged.

        Returns:
            (K + 1,) new label of each old one; label 0 stays 0.

        Example:
            >>> merges = np.array([[1, 2], [1, 3]], np.int32)
            >>> tree = MergeTree(3, merges, np.array([0.8, 0.3], np.float32))
            >>> tree.cut(0.5).tolist(), tree.cut(0.2).tolist()
            ([0, 1, 1, 3], [0, 1, 1, 1])
        """
        label = np.arange(self.count + 1, dtype=np.int32)
        made = int(np.searchsorted(-self.heights, -threshold, side="right"))
        # From the last merge back: what a group joined has by then found its own final label.
        for kept, joined in self.merges[:made][::-1]:
            label[joined] = label[kept]
        return label


def merge_threshold(granularity: float) -> float:
    """Return the q at which the tree is cut.

    Args:
        granularity: 0 = parts as they were found, 0.5 = q 0.28, 1 = whole objects, q 0.08.

    Raises:
        ValueError: granularity is not within 0..1.

    Example:
        >>> [round(merge_threshold(granularity), 2) for granularity in (0, 0.5, 1)]
        [1.01, 0.28, 0.08]
    """
    if not 0 <= granularity <= 1:
        raise ValueError(f"granularity must be within 0 and 1, not {granularity}.")
    return 1.01 if granularity == 0 else _LOWEST_THRESHOLD**granularity


def ordered_by_size(
    labels: NDArray[np.int32], minimum_size: int = 1, *, kept_from: int | None = None
) -> NDArray[np.int32]:
    """Number segments anew from the largest, 1, on; those of equal size keep their order.

    Args:
        labels: (N,) ≥ 0, 0 = none.
        minimum_size: smaller segments become 0.
        kept_from: labels from this one on are kept, however small.

    Example:
        >>> ordered_by_size(np.array([7, 7, 3, 0, 7, 3, 5]), minimum_size=2).tolist()
        [1, 1, 2, 0, 1, 2, 0]
    """
    counts = np.bincount(labels, minlength=1)
    counts[0] = 0
    order = np.argsort(-counts, kind="stable")
    least = np.full(len(counts), max(1, minimum_size))
    if kept_from is not None:
        least[kept_from:] = 1
    order = order[counts[order] >= least[order]]
    numbers = np.zeros(len(counts), np.int32)
    numbers[order] = np.arange(1, len(order) + 1)
    return numbers[labels]
