# SPDX-License-Identifier: GPL-3.0-or-later
"""The order of points along a curve that fills space, on which neighbours are near each other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

BITS = 16
"""Of each axis."""


def morton_order(points: NDArray[np.floating]) -> NDArray[np.intp]:
    """Return places (N,) of points (N, 3) in the order of their Morton codes.

    Cells are of ranks, not of lengths: as many points lie left as right of each middle, so that a
    few that are far away take nothing from the others.

    Example:
        >>> morton_order(np.array([[9.0, 9, 9], [0, 0, 0], [0, 0, 1]])).tolist()
        [1, 2, 0]
    """
    count = len(points)
    codes = np.zeros(count, np.uint64)
    for axis in range(3):
        ranks = np.empty(count, np.uint64)
        ranks[np.argsort(points[:, axis], kind="stable")] = np.arange(count, dtype=np.uint64)
        cells = ranks * np.uint64(1 << BITS) // np.uint64(max(count, 1))
        for bit in range(BITS):
            codes |= (cells >> np.uint64(bit) & np.uint64(1)) << np.uint64(3 * bit + axis)
    return np.argsort(codes, kind="stable")
