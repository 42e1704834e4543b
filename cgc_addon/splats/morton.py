# SPDX-License-Identifier: GPL-3.0-or-later
"""The order of points along a curve that fills space, on which neighbours are near each other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

BITS = 16
"""Of each axis."""
_SPREADING = (
    (32, 0x1F00000000FFFF),
    (16, 0x1F0000FF0000FF),
    (8, 0x100F00F00F00F00F),
    (4, 0x10C30C30C30C30C3),
    (2, 0x1249249249249249),
)
"""Shifts and masks that bring each of so many bits to every third place."""


def morton_order(points: NDArray[np.floating]) -> NDArray[np.intp]:
    """Return places (N,) of points (N, 3) in the order of their Morton codes.

    Cells are of ranks, not of lengths: as many points lie left as right of each middle, so that a
    few that are far away take nothing from the others.

    Example:
        >>> morton_order(np.array([[9.0, 9, 9], [0, 0, 0], [0, 0, 1]])).tolist()
        [1, 2, 0]
    """
    count = len(points)
    cells = np.empty((count, 3), np.int64)
    for axis in range(3):
        ranks = np.empty(count, np.int64)
        ranks[np.argsort(points[:, axis], kind="stable")] = np.arange(count)
        cells[:, axis] = ranks * (1 << BITS) // max(count, 1)
    return np.argsort(morton_codes(cells), kind="stable")


def morton_codes(cells: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Return the Morton codes (N,) of cells (N, 3), numbers of at most 21 bits."""
    codes = np.zeros(len(cells), np.uint64)
    for axis in range(3):
        bits = cells[:, axis].astype(np.uint64)
        for shift, mask in _SPREADING:
            bits = (bits | bits << np.uint64(shift)) & np.uint64(mask)
        codes |= bits << np.uint64(axis)
    return codes
