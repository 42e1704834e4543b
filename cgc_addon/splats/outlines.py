# SPDX-License-Identifier: GPL-3.0-or-later
"""Which points of a picture lie in a shape that somebody drew there."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray


def in_box(
    points: NDArray[np.floating], corner: tuple[float, float], opposite: tuple[float, float]
) -> NDArray[np.bool_]:
    """Return which of points (N, 2) lie in an upright box, its edges included.

    Example:
        >>> in_box(np.array([[1.0, 1.0], [3.0, 1.0]]), (2, 0), (0, 2)).tolist()
        [True, False]
    """
    low, high = np.minimum(corner, opposite), np.maximum(corner, opposite)
    return ((points >= low) & (points <= high)).all(axis=1)


def in_polygon(points: NDArray[np.floating], corners: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Return which points lie in a polygon, by the even-odd rule.

    Args:
        points: (N, 2).
        corners: (V, 2) in order; the last is joined with the first.

    Example:
        >>> triangle = np.array([[0.0, 0.0], [4.0, 0.0], [0.0, 4.0]])
        >>> in_polygon(np.array([[1.0, 1.0], [3.0, 3.0]]), triangle).tolist()
        [True, False]
    """
    inside = np.zeros(len(points), bool)
    if len(corners) < 3:
        return inside
    candidates = np.flatnonzero(in_box(points, corners.min(axis=0), corners.max(axis=0)))
    x, y = points[candidates].T
    odd = np.zeros(len(candidates), bool)
    for (x0, y0), (x1, y1) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        if y0 != y1:  # else it crosses no ray to the right
            crossed = (y0 <= y) != (y1 <= y)
            odd ^= crossed & (x < x0 + (y - y0) * ((x1 - x0) / (y1 - y0)))
    inside[candidates] = odd
    return inside


def near_path(
    points: NDArray[np.floating], path: NDArray[np.floating], radius: float
) -> NDArray[np.bool_]:
    """Return which points are no farther than a radius from a line of straight pieces.

    Args:
        points: (N, 2).
        path: (P, 2) its places in order; one alone is a dot.
        radius: of the brush that was drawn along it.

    Example:
        >>> path = np.array([[0.0, 0.0], [10.0, 0.0]])
        >>> near_path(np.array([[5.0, 1.0], [5.0, 3.0], [-3.0, 0.0]]), path, 2.0).tolist()
        [True, False, False]
    """
    near = np.zeros(len(points), bool)
    if not len(path):
        return near
    reach = np.array([radius, radius])
    candidates = np.flatnonzero(
        in_box(points, tuple(path.min(axis=0) - reach), tuple(path.max(axis=0) + reach))
    )
    for start, end in pairwise(path if len(path) > 1 else np.repeat(path, 2, axis=0)):
        along, from_start = end - start, points[candidates] - start
        share = (from_start @ along) / max(float(along @ along), 1e-12)
        away = from_start - np.clip(share, 0.0, 1.0)[:, None] * along
        touched = (away * away).sum(axis=1) <= radius * radius
        near[candidates[touched]] = True
        candidates = candidates[~touched]
    return near
