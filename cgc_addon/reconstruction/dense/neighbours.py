# SPDX-License-Identifier: GPL-3.0-or-later
"""Which photos are compared with which, and how pixels of one become pixels of the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from ...dataset.projection import project
from ...dataset.scene import PinholeCamera, View

MOST_NEIGHBOURS = 4
"""Photos that each one is compared with."""
MOST_WITNESSES = 24
"""Photos that are asked about the surfaces of each one: more cost time and change little."""
_BEST_ANGLE, _SPREAD = 12.0, 10.0
"""Degrees between two rays to a point: fewer say little of depth, with more a patch changes."""
_LARGEST_ANGLE = 40.0
_ALL_PAIRS = 80
"""Views of which every pair is looked at; of more, each one with `_NEAREST` and `_FARTHER`."""
_NEAREST, _FARTHER = 20, 44
"""Views nearest to each one, and others up to half of all, ever sparser: of a video with frames a
finger apart the nearest show no depth."""
_MOST_POINTS = 2_000
"""Sparse points to look at then."""


def pair_scores(views: Sequence[View], points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Tell how well each pair of views shows depth.

    Args:
        views: V of them.
        points: (P, 3) sparse points, scene units.

    Returns:
        (V, V) sums over the points that both have in their pictures, larger where the angle between
        the rays is good.
    """
    count = len(views)
    if count > _ALL_PAIRS:
        points = points[:: -(-len(points) // _MOST_POINTS) or 1]
    rays = np.empty((count, len(points), 3))
    seen = np.empty((count, len(points)), dtype=np.bool_)
    for index, view in enumerate(views):
        seen[index] = project(points, view)[2]
        rays[index] = points - view.center()
    rays /= np.maximum(np.linalg.norm(rays, axis=2, keepdims=True), 1e-12)
    scores = np.zeros((count, count))
    for first, second in _pairs(np.array([view.center() for view in views])):
        both = seen[first] & seen[second]
        cosines = np.einsum("pi,pi->p", rays[first, both], rays[second, both])
        angles = np.degrees(np.arccos(np.clip(cosines, -1.0, 1.0)))
        good = np.exp(-0.5 * ((angles - _BEST_ANGLE) / _SPREAD) ** 2)
        good *= np.clip(angles / 3.0, 0.0, 1.0) * (angles < _LARGEST_ANGLE)
        scores[first, second] = scores[second, first] = good.sum()
    return scores


def _pairs(centers: NDArray[np.float64]) -> Iterator[tuple[int, int]]:
    """Yield the pairs of views with centres (V, 3) that may show depth, each once."""
    count = len(centers)
    if count <= _ALL_PAIRS:
        yield from combinations(range(count), 2)
        return
    farther = np.geomspace(_NEAREST + 1, count // 2, _FARTHER)
    ranks = np.unique(np.concatenate([np.arange(1, _NEAREST + 1), farther.astype(np.int64)]))
    ranks = ranks[ranks < count]
    pairs: set[tuple[int, int]] = set()
    for index, center in enumerate(centers):
        distances = np.linalg.norm(centers - center, axis=1)
        distances[index] = -1.0
        for other in np.argsort(distances, kind="stable")[ranks].tolist():
            pairs.add((min(index, other), max(index, other)))
    yield from sorted(pairs)


def choose_neighbours(scores: NDArray[np.float64]) -> list[NDArray[np.int64]]:
    """Return the views that each view is compared with, the best first.

    Args:
        scores: (V, V), see `pair_scores`; a pair below a tenth of a view's best is left out.

    Example:
        >>> choose_neighbours(np.array([[0.0, 9.0, 0.1], [9.0, 0.0, 5.0], [0.1, 5.0, 0.0]]))
        [array([1]), array([0, 2]), array([1])]
    """
    chosen = []
    for row in scores:
        order = np.argsort(-row, kind="stable")[:MOST_NEIGHBOURS]
        chosen.append(order[(row[order] > 0.1 * row.max()) & (row[order] > 0.0)])
    return chosen


def choose_witnesses(scores: NDArray[np.float64]) -> list[NDArray[np.int64]]:
    """Return the views that are asked about what each view shows, the best first.

    Args:
        scores: (V, V), see `pair_scores`.

    Example:
        >>> choose_witnesses(np.array([[0.0, 9.0, 0.1], [9.0, 0.0, 5.0], [0.1, 5.0, 0.0]]))
        [array([1, 2]), array([0, 2]), array([1, 0])]
    """
    orders = (np.argsort(-row, kind="stable")[:MOST_WITNESSES] for row in scores)
    return [order[row[order] > 0.0] for row, order in zip(scores, orders, strict=True)]


def pair_matrix(reference: View, other: View) -> NDArray[np.float32]:
    """Return (12,): A (3, 3) row by row, then b (3,).

    A pixel x = (x, y, 1) of the reference at inverse depth w is at A x + b w in the other view,
    in homogeneous pixels whose last coordinate is its depth there, divided by that here.

    Example:
        >>> camera = PinholeCamera(8, 8, 8.0, 8.0, 4.0, 4.0)
        >>> right = np.eye(4)
        >>> right[0, 3] = -1.0  # one unit to the right of the other
        >>> pair = pair_matrix(View("a", camera, np.eye(4)), View("b", camera, right))
        >>> (pair[:9].reshape(3, 3) @ [6.0, 4.0, 1.0] + pair[9:] * 0.5).tolist()
        [2.0, 4.0, 1.0]
    """
    rotation = other.world_to_camera[:3, :3] @ reference.world_to_camera[:3, :3].T
    translation = other.world_to_camera[:3, 3] - rotation @ reference.world_to_camera[:3, 3]
    K = other.camera.matrix()
    A = K @ rotation @ np.linalg.inv(reference.camera.matrix())
    return np.concatenate([A.reshape(-1), K @ translation]).astype(np.float32)


def intrinsics(camera: PinholeCamera) -> NDArray[np.float32]:
    """Return fx, fy, cx, cy (4,), px."""
    return np.array([camera.fx, camera.fy, camera.cx, camera.cy], dtype=np.float32)
