# SPDX-License-Identifier: GPL-3.0-or-later
"""Masks as COCO writes them: run lengths, plain or as text, and polygons.

Run lengths go down the columns, the first column first, and count unset pixels, set ones, unset
ones and so on; the first may be 0. As text each number is written in groups of 5 bits, the lowest
first, one character a group: the group, plus 32 where another one follows, plus 48 to be printable.
Bit 4 of a number's last group is its sign, two's complement. From the fourth number on, what is
written is the difference from the number two before.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_BITS = 5
_FIRST_CHARACTER = 48


def counts_of_text(text: str) -> NDArray[np.int64]:
    """Return the run lengths that a text stands for.

    Raises:
        ValueError: it has a character that none has, or ends within a number.
    """
    groups = np.frombuffer(text.encode("utf-8", "surrogatepass"), np.uint8).astype(np.int64)
    groups -= _FIRST_CHARACTER
    if len(groups) == 0:
        return np.zeros(0, np.int64)
    if groups.min() < 0 or groups.max() >= 64:
        raise ValueError("its counts hold a character that no run length has")
    is_last = (groups & 32) == 0
    if not is_last[-1]:
        raise ValueError("its counts end within a number")
    ends = np.flatnonzero(is_last)
    starts = np.concatenate([[0], ends[:-1] + 1])
    places = np.arange(len(groups)) - np.repeat(starts, ends - starts + 1)
    if places.max() > 10:
        raise ValueError("its counts hold a number that is too large")
    numbers = np.add.reduceat((groups & 31) << (_BITS * places), starts)
    negative = (groups[ends] & 16) != 0
    numbers -= np.where(negative, np.int64(1) << (_BITS * (ends - starts + 1)), 0)
    numbers[1::2] = np.cumsum(numbers[1::2])
    numbers[2::2] = np.cumsum(numbers[2::2])
    return numbers


def mask_of_counts(
    counts: NDArray[np.int64] | Sequence[int], height: int, width: int
) -> NDArray[np.bool_]:
    """Return the mask (height, width) of run lengths.

    Raises:
        ValueError: they are negative, or do not add up to the number of pixels.
    """
    lengths = np.asarray(counts)
    if lengths.ndim != 1 or (lengths.size and not np.issubdtype(lengths.dtype, np.integer)):
        raise ValueError("its counts are no list of whole numbers")
    lengths = lengths.astype(np.int64)
    # In this order: what is negative could make a sum that fits, what is huge could overflow one.
    if lengths.size and not 0 <= lengths.min() <= lengths.max() <= height * width:
        raise ValueError("its counts are negative or larger than the photo")
    if lengths.sum() != height * width:
        raise ValueError(
            f"its counts add up to {lengths.sum()} pixels instead of {height} × {width}"
        )
    values = np.arange(len(lengths)) % 2 == 1
    return np.repeat(values, lengths).reshape(width, height).T


def mask_of_polygons(
    polygons: Sequence[Sequence[float]], height: int, width: int
) -> NDArray[np.bool_]:
    """Return the mask (height, width) of the pixels whose centres lie in any of the polygons.

    A polygon that crosses itself covers what an odd number of its turns encloses.

    Args:
        polygons: x, y, x, y, … in px each; the first pixel has its centre at 0.5.
        height: of the mask, px.
        width: of the mask, px.

    Raises:
        ValueError: a polygon has less than three corners, or corners that are no numbers.
    """
    covered = np.zeros((height, width), bool)
    for polygon in polygons:
        corners = np.asarray(polygon, dtype=np.float64)
        if corners.ndim != 1 or len(corners) < 6 or len(corners) % 2:
            raise ValueError("a polygon has less than three corners, or half a corner")
        if not np.isfinite(corners).all():
            raise ValueError("a polygon has a corner that is no number")
        covered |= _inside(corners.reshape(-1, 2), height, width)
    return covered


def _inside(corners: NDArray[np.float64], height: int, width: int) -> NDArray[np.bool_]:
    # Along a row of pixel centres, each edge that is crossed turns inside into outside.
    turns = np.zeros((height, width + 1), np.int32)
    centers = np.arange(height) + 0.5
    for (x0, y0), (x1, y1) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        rows = np.flatnonzero((centers >= min(y0, y1)) & (centers < max(y0, y1)))
        if len(rows):
            x = x0 + (centers[rows] - y0) * (x1 - x0) / (y1 - y0)
            columns = np.clip(np.ceil(x - 0.5), 0, width).astype(np.int64)
            turns[rows, columns] += 1
    return np.cumsum(turns, axis=1)[:, :-1] % 2 == 1
