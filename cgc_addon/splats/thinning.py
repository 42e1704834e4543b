# SPDX-License-Identifier: GPL-3.0-or-later
"""Fewer points of a cloud, such that every part of it keeps its share."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_BITS = 20
"""Of each coordinate: a millionth of the cloud is told apart."""


def thinned(points: NDArray[np.floating], count: int) -> NDArray[np.int64]:
    """Return the indices (count,), ascending, of points that stand for all of them.

    Points are lined up along a curve through space that stays near where it is (Morton 1966), and
    taken at even distances along it. Where the cloud is dense it stays denser, as where a photo
    shows more detail; but no neighbourhood loses all of its points by chance.

    Args:
        points: (P, 3) any unit.
        count: how many to keep; all where there are no more.

    Example:
        >>> line = np.column_stack([np.arange(8.0), np.zeros(8), np.zeros(8)])
        >>> thinned(line, 4).tolist()
        [1, 3, 5, 7]
    """
    if len(points) <= count:
        return np.arange(len(points))
    order = np.argsort(_morton_codes(points), kind="stable")
    places = ((np.arange(count) + 0.5) * (len(points) / count)).astype(np.int64)
    return np.sort(order[places])


def _morton_codes(points: NDArray[np.floating]) -> NDArray[np.uint64]:
    """Return the place (P,) of each point on the curve: the bits of its coordinates, in turns."""
    values = np.asarray(points, dtype=np.float64)
    # Without the farthest hundredth, which would press all others into one place.
    lowest, highest = np.percentile(values, (0.5, 99.5), axis=0)
    side = max(float((highest - lowest).max()), 1e-30)
    shares = np.clip((values - lowest) / side, 0.0, 1.0)
    cells = (shares * (2**_BITS - 1)).astype(np.uint64)
    codes = np.zeros(len(points), dtype=np.uint64)
    for bit in range(_BITS):
        for axis in range(3):
            taken = (cells[:, axis] >> np.uint64(bit)) & np.uint64(1)
            codes |= taken << np.uint64(3 * bit + axis)
    return codes
