# SPDX-License-Identifier: GPL-3.0-or-later
"""How much brighter each photo is than the others, told by the surfaces that both show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...dataset.scene import View
from .agreement import LARGEST_COST, confirmed_in, places
from .planes import Surfaces

_DARKEST, _BRIGHTEST = 10, 240
"""Beyond, a photo is cut off, or noise is as large as what it shows."""
_FEWEST_CELLS = 30
"""That two photos have to share to be compared."""
_MOST_CELLS = 500
"""Beyond, more say nothing new: light differs from place to place."""
_STEADYING = 1.0
"""A photo that is compared over few cells stays as it is."""


@dataclass(frozen=True)
class _Comparison:
    first: int
    second: int
    brighter: NDArray[np.float64]
    """(3,) logarithm of how much brighter the second one shows the same places."""
    cells: int


def photo_gains(
    views: Sequence[View],
    photos: Sequence[NDArray[np.uint8]],
    surfaces: Sequence[Surfaces],
    neighbours: Sequence[NDArray[np.int64]],
) -> NDArray[np.float64]:
    """Return how many times as bright as their mean the photos are, (V, 3) for red, green, blue.

    Two photos are compared by the median ratio of their display values over the cells that they
    agree on, which highlights do not move; all comparisons together are solved for one gain each.

    Args:
        views: V cameras of the size of the photos.
        photos: (H, W, 3) sRGB of each.
        surfaces: of each.
        neighbours: of each, see `choose_neighbours`.
    """
    comparisons = [
        found
        for index in range(len(views))
        for other in neighbours[index]
        if (found := _compare(index, int(other), views, photos, surfaces)) is not None
    ]
    count = len(views)
    normal = _STEADYING * np.eye(count)
    right = np.zeros((count, 3))
    for one in comparisons:
        weight = float(min(one.cells, _MOST_CELLS))
        normal[[one.first, one.second], [one.first, one.second]] += weight
        normal[[one.first, one.second], [one.second, one.first]] -= weight
        right[one.second] += weight * one.brighter
        right[one.first] -= weight * one.brighter
    logarithms = np.linalg.solve(normal, right)
    return np.exp(logarithms - logarithms.mean(axis=0))


def _compare(
    first: int,
    second: int,
    views: Sequence[View],
    photos: Sequence[NDArray[np.uint8]],
    surfaces: Sequence[Surfaces],
) -> _Comparison | None:
    """Compare two photos; None where they share too little."""
    rows, columns = np.nonzero(surfaces[first].costs < LARGEST_COST)
    points = places(views[first], surfaces[first], rows, columns)
    there = confirmed_in(points, views[second], surfaces[second])
    x, y = surfaces[first].middles(rows, columns)
    here_colors = photos[first][y.astype(np.int64), x.astype(np.int64)][there.confirmed]
    pixels = there.pixels[there.confirmed].astype(np.int64)
    there_colors = photos[second][pixels[:, 1], pixels[:, 0]]
    both = np.concatenate([here_colors, there_colors], axis=1)
    usable = ((both >= _DARKEST) & (both <= _BRIGHTEST)).all(axis=1)
    cells = int(np.count_nonzero(usable))
    if cells < _FEWEST_CELLS:
        return None
    ratios = np.log(there_colors[usable] / here_colors[usable].astype(np.float64))
    return _Comparison(first, second, np.median(ratios, axis=0), cells)
