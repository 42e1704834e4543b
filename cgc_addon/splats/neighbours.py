# SPDX-License-Identifier: GPL-3.0-or-later
"""Points that are near each other in space, found by a grid: NumPy alone, for Blender."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

_BITS = 20
"""Of each coordinate in the number of a cell."""
_AT_ONCE = 1 << 20
"""Pairs of points that are compared at once."""
_AROUND = np.array(list(product((-1, 0, 1), repeat=3)), np.int64)


@dataclass(frozen=True, eq=False)
class _Grid:
    """Points sorted by the cell that they are in."""

    order: NDArray[np.intp]
    """(N,) of the points."""
    cells: NDArray[np.int64]
    """(U,) numbers of the cells that have any, rising."""
    ends: NDArray[np.intp]
    """(U + 1,) where the points of each cell begin in `order`."""

    def places(self, cells: NDArray[np.int64]) -> NDArray[np.intp]:
        """Return the place of cells among those that have points, −1 for those that have none."""
        places = np.searchsorted(self.cells, cells)
        places[places == len(self.cells)] = 0
        return np.where(self.cells[places] == cells, places, -1)


def nearest_within(
    points: NDArray[np.floating], queries: NDArray[np.floating], distance: float
) -> NDArray[np.intp]:
    """Return for each query the nearest of some points, where one is near enough.

    Args:
        points: (N, 3).
        queries: (M, 3).
        distance: the farthest that counts, > 0.

    Returns:
        (M,) index of a point, −1 where none is so near.

    Example:
        >>> points = np.array([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0]])
        >>> nearest_within(points, np.array([[0.7, 0.0, 0.0], [5.0, 0.0, 0.0]]), 0.5).tolist()
        [1, -1]
    """
    nearest = np.full(len(queries), -1, np.intp)
    if not len(points) or not len(queries):
        return nearest
    origin = np.minimum(points.min(axis=0), queries.min(axis=0)).astype(np.float64)
    distance = max(distance, _finest(points, queries))
    grid, asked = _grid(points, origin, distance), _coordinates(queries, origin, distance)
    least = np.full(len(queries), np.nextafter(float(distance) ** 2, np.inf))
    for offset in _AROUND:
        places = grid.places(_numbers(asked + offset))
        found = np.flatnonzero(places >= 0)
        counts = np.diff(grid.ends)[places[found]]
        ends = np.cumsum(counts)
        first = 0
        while first < len(found):
            before = int(ends[first - 1]) if first else 0
            last = max(first + 1, int(np.searchsorted(ends, before + _AT_ONCE)))
            chosen = found[first:last]
            _keep_nearest(grid, points, queries, chosen, places[chosen], nearest, least)
            first = last
    return nearest


def reachable(
    points: NDArray[np.floating], seeds: NDArray[np.integer], distance: float
) -> NDArray[np.bool_]:
    """Return which points one comes to from some of them by hops from point to point.

    Hops of up to `distance` are always taken, and none of more than 3.5 times as much: cells of
    that size are walked over, each to all 26 around it.

    Args:
        points: (N, 3).
        seeds: indices of points.
        distance: > 0.

    Example:
        >>> points = np.array([[0.0, 0, 0], [0.9, 0, 0], [1.8, 0, 0], [9.0, 0, 0]])
        >>> reachable(points, np.array([0]), 1.0).tolist()
        [True, True, True, False]
    """
    if not len(points) or not len(seeds):
        return np.zeros(len(points), bool)
    distance = max(distance, _finest(points))
    origin = points.min(axis=0).astype(np.float64)
    grid = _grid(points, origin, distance)
    numbers = _numbers(_coordinates(points, origin, distance))
    steps = _numbers(_AROUND) - _numbers(np.zeros((1, 3), np.int64))
    reached = np.zeros(len(grid.cells), bool)
    frontier = np.unique(grid.places(numbers[seeds]))
    while len(frontier):
        reached[frontier] = True
        around = grid.places((grid.cells[frontier, None] + steps).reshape(-1))
        around = np.unique(around[around >= 0])
        frontier = around[~reached[around]]
    return reached[grid.places(numbers)]


def typical_spacing(points: NDArray[np.floating]) -> float:
    """Return about how far points are from their neighbours, wherever most of them are.

    It is the size of cells of which each has two points on average.

    Args:
        points: (N, 3); fewer than two have a spacing of 0.
    """
    if len(points) < 2:
        return 0.0
    origin = points.min(axis=0).astype(np.float64)
    largest = float((points.max(axis=0) - origin).max())
    low, high = _finest(points), max(largest, _finest(points))
    for _ in range(10):  # from 20 octaves to a fiftieth of one
        middle = float(np.sqrt(low * high))
        cells = len(np.unique(_numbers(_coordinates(points, origin, middle))))
        if 2 * cells > len(points):
            low = middle
        else:
            high = middle
    return high


def _keep_nearest(
    grid: _Grid,
    points: NDArray[np.floating],
    queries: NDArray[np.floating],
    chosen: NDArray[np.intp],
    places: NDArray[np.intp],
    nearest: NDArray[np.intp],
    least: NDArray[np.float64],
) -> None:
    """Compare some queries with all points of one cell each; the last two arguments change."""
    counts = np.diff(grid.ends)[places]
    starts = np.cumsum(counts) - counts
    inside = np.arange(int(counts.sum())) - np.repeat(starts, counts)
    candidates = grid.order[np.repeat(grid.ends[places], counts) + inside]
    away = points[candidates].astype(np.float64) - np.repeat(queries[chosen], counts, axis=0)
    squares = (away * away).sum(axis=1)
    smallest = np.minimum.reduceat(squares, starts)
    better = smallest < least[chosen]
    first = np.flatnonzero(squares == np.repeat(smallest, counts))
    owner = np.repeat(np.arange(len(chosen)), counts)[first]
    _, place = np.unique(owner, return_index=True)
    nearest[chosen[better]] = candidates[first[place]][better]
    least[chosen[better]] = smallest[better]


def _grid(points: NDArray[np.floating], origin: NDArray[np.float64], size: float) -> _Grid:
    numbers = _numbers(_coordinates(points, origin, size))
    order = np.argsort(numbers, kind="stable")
    cells, starts = np.unique(numbers[order], return_index=True)
    return _Grid(order, cells, np.append(starts, len(points)))


def _coordinates(
    points: NDArray[np.floating], origin: NDArray[np.float64], size: float
) -> NDArray[np.int64]:
    return np.floor((points - origin) / size).astype(np.int64)


def _numbers(coordinates: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return one number for each cell (N, 3); coordinates are from −1 on."""
    x, y, z = (coordinates + 1).T
    return (x << 2 * _BITS) + (y << _BITS) + z


def _finest(*points: NDArray[np.floating]) -> float:
    """Return the smallest size of cells whose numbers have room for all points."""
    together = np.concatenate([np.stack([one.min(axis=0), one.max(axis=0)]) for one in points])
    largest = float(np.ptp(together.astype(np.float64), axis=0).max())
    return max(largest / ((1 << _BITS) - 4), float(np.finfo(np.float32).tiny))
