# SPDX-License-Identifier: GPL-3.0-or-later
"""Images at other sizes: area averages for colours, nearest neighbour for ids."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix


def same_shape(size: tuple[int, int], other: tuple[int, int]) -> bool:
    """Say whether two sizes (width, height) are one photo's, rounded to whole pixels.

    The longer sides may be any; scaled to the smaller size, no side differs by more than 1 px.

    Example:
        >>> same_shape((1600, 1067), (6000, 4000)), same_shape((1600, 1067), (4000, 6000))
        (True, False)
    """
    small, large = sorted((size, other), key=lambda s: s[0] * s[1])
    by_width = abs(small[1] - large[1] * small[0] / large[0])
    by_height = abs(small[0] - large[0] * small[1] / large[1])
    return min(by_width, by_height) <= 1.0


def fitted_size(size: tuple[int, int], max_size: int | None) -> tuple[int, int]:
    """Return (width, height) shrunk so that the longer side is `max_size` px at most.

    Example:
        >>> fitted_size((6000, 4000), 1600), fitted_size((800, 600), 1600)
        ((1600, 1067), (800, 600))
    """
    longest = max(size)
    if max_size is None or longest <= max_size:
        return size
    width, height = (max(1, round(side * max_size / longest)) for side in size)
    return width, height


def level_size(size: tuple[int, int], level: int) -> tuple[int, int]:
    """Return (width, height) of a pyramid level: halved `level` times, rounded down, 1 at least.

    Example:
        >>> level_size((1600, 1067), 2)
        (400, 266)
    """
    return max(1, size[0] >> level), max(1, size[1] >> level)


def area_average(image: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Shrink by exact averages: each new pixel is the mean of the area that it covers.

    Args:
        image: (H, W, C).
        size: new (width, height); a side that grows repeats its pixels.

    Returns:
        (height, width, C), rounded to nearest.

    Example:
        >>> area_average(np.array([[[0], [60], [100], [200]]], np.uint8), (2, 1))[..., 0].tolist()
        [[30, 150]]
    """
    height, width, channels = image.shape
    if (width, height) == size:
        return image
    rows, columns = _averaging(height, size[1]), _averaging(width, size[0])
    shrunk = rows @ image.reshape(height, width * channels).astype(np.float32)
    sideways = shrunk.reshape(size[1], width, channels).transpose(1, 0, 2)
    shrunk = columns @ np.ascontiguousarray(sideways).reshape(width, -1)
    result = shrunk.reshape(size[0], size[1], channels).transpose(1, 0, 2)
    return np.ascontiguousarray(np.floor(result + np.float32(0.5)).astype(np.uint8))


def nearest(image: NDArray, size: tuple[int, int]) -> NDArray:
    """Take the pixel under the centre of each new pixel.

    Args:
        image: (H, W).
        size: new (width, height).

    Returns:
        (height, width), of the same type; every value was in `image`.

    Example:
        >>> nearest(np.array([[1, 2, 3, 4, 5, 6]]), (2, 1)).tolist()
        [[2, 5]]
    """
    height, width = image.shape
    if (width, height) == size:
        return image
    rows, columns = _under_centres(height, size[1]), _under_centres(width, size[0])
    return image[rows[:, None], columns[None, :]]


def _under_centres(old: int, new: int) -> NDArray[np.int64]:
    """Return floor((i + ½) · old / new) for each new pixel i, in exact integers."""
    return (2 * np.arange(new, dtype=np.int64) + 1) * old // (2 * new)


def _averaging(old: int, new: int) -> csr_matrix:
    """Return the (new, old) matrix whose rows average the old pixels that a new one covers.

    Lengths are counted in 1/new of an old pixel, so that all edges of both grids are integers.
    """
    edges = np.union1d(
        np.arange(old + 1, dtype=np.int64) * new, np.arange(new + 1, dtype=np.int64) * old
    )
    starts, lengths = edges[:-1], np.diff(edges)
    weights = (lengths / old).astype(np.float32)
    return csr_matrix((weights, (starts // old, starts // new)), shape=(new, old))
