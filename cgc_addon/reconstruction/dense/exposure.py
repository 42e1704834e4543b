# SPDX-License-Identifier: GPL-3.0-or-later
"""How much brighter each photo is than the others, told by the surfaces that both show."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...dataset.scene import View
from .agreement import places
from .surfaces import Surfaces
from .testimony import LARGEST_COST, seen_in

_LUMA = np.array([0.299, 0.587, 0.114])
"""Of sRGB (Rec. 601)."""
_DARKEST, _BRIGHTEST = 40, 240
"""Luma; beyond, a photo is cut off, or shine and noise are as large as what it shows."""
_FEWEST_CELLS = 30
"""That two photos have to share to be compared."""
_MOST_CELLS = 500
"""Beyond, more say nothing new: light differs from place to place."""
_STEADYING = 1.0
"""A photo that is compared over few cells stays as it is."""
_EXPLAINED = 0.6
"""Gains have to bring the differences between photos below this share of them. Exposures of ±0.5 EV
leave 0.4; shine that moves with the camera looks like a gain, too, and leaves 0.77 or more."""


@dataclass(frozen=True, eq=False)
class _Comparison:
    first: int
    second: int
    ratios: NDArray[np.float64]
    """(cells,) logarithms of how much brighter the second one shows the same places."""


def photo_gains(
    views: Sequence[View],
    photo: Callable[[int], NDArray[np.uint8]],
    surfaces: Sequence[Surfaces],
    neighbours: Sequence[NDArray[np.int64]],
) -> NDArray[np.float64]:
    """Return how many times as bright as their mean the photos are, (V,); all 1 if they agree.

    Two photos are compared by the median ratio of their luma over the cells that they agree on,
    which highlights do not move; all comparisons together are solved for one gain each. Gains
    that leave most of the differences as they were are of something else, and not returned.

    Args:
        views: V cameras of the size of the photos.
        photo: gives the photo (H, W, 3) of a view, sRGB.
        surfaces: of each.
        neighbours: of each, see `choose_neighbours`.
    """
    comparisons = [
        found
        for index in range(len(views))
        for other in neighbours[index]
        if (found := _compare(index, int(other), views, photo, surfaces)) is not None
    ]
    count = len(views)
    if not comparisons:
        return np.ones(count)
    normal = _STEADYING * np.eye(count)
    right = np.zeros(count)
    for one in comparisons:
        weight = float(min(len(one.ratios), _MOST_CELLS))
        normal[[one.first, one.second], [one.first, one.second]] += weight
        normal[[one.first, one.second], [one.second, one.first]] -= weight
        right[one.second] += weight * np.median(one.ratios)
        right[one.first] -= weight * np.median(one.ratios)
    logarithms = np.linalg.solve(normal, right)
    logarithms -= logarithms.mean()
    if _scatter(comparisons, logarithms) > _EXPLAINED * _scatter(comparisons, 0.0 * logarithms):
        return np.ones(count)
    return np.exp(logarithms)


def _scatter(comparisons: Sequence[_Comparison], logarithms: NDArray[np.float64]) -> float:
    """Return how much photos differ once the logarithms of their gains (V,) are taken off."""
    left = [
        np.median(np.abs(one.ratios - logarithms[one.second] + logarithms[one.first]))
        for one in comparisons
    ]
    return float(np.mean(left))


def _compare(
    first: int,
    second: int,
    views: Sequence[View],
    photo: Callable[[int], NDArray[np.uint8]],
    surfaces: Sequence[Surfaces],
) -> _Comparison | None:
    """Compare two photos; None where they share too little."""
    rows, columns = np.nonzero(surfaces[first].costs < LARGEST_COST)
    points = places(views[first], surfaces[first], rows, columns)
    there = seen_in(points, views[second], surfaces[second])
    x, y = surfaces[first].middles(rows[there.agreeing], columns[there.agreeing])
    here = photo(first)[y.astype(np.int64), x.astype(np.int64)]
    pixels = there.pixels[there.agreeing].astype(np.int64)
    both = np.stack([here, photo(second)[pixels[:, 1], pixels[:, 0]]]) @ _LUMA
    both = both[:, ((both >= _DARKEST) & (both <= _BRIGHTEST)).all(axis=0)]
    if both.shape[1] < _FEWEST_CELLS:
        return None
    return _Comparison(first, second, np.log(both[1] / both[0]))
