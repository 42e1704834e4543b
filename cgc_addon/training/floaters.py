# SPDX-License-Identifier: GPL-3.0-or-later
"""Gaussians right before the cameras, where nothing is: a veil over views from between the photos.

A photo says little of what is close to another camera: a blob in the corner of a few photos costs
nothing there, and covers the whole picture of a camera that comes to stand beside it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from ..dataset.nearness import fewer_within
from ..dataset.projection import project
from ..dataset.scene import Scene, View

_NEAR_SHARE = 5.0
"""Percent of the points in a picture that may be nearer than a camera's near distance."""
_LONELINESS = 0.5
"""A Gaussian is alone where the nearest points are so many times as far as the nearest camera."""
_FEWEST_POINTS = 2
"""That show where a thing is; a single one may be wrong."""
_FEWEST_ON_SURFACE = 50
"""The same of points that photos were matched at: what is near fills a good part of a picture, and
is matched in hundreds of places; a few are wrong ones."""
_MINIMUM_POINTS = 10
"""In a picture; fewer do not tell how near things are."""


class FreeSpace:
    """Where things cannot be, told from cameras and the points that they see."""

    def __init__(
        self,
        views: Sequence[View],
        points: NDArray[np.floating],
        surface: NDArray[np.floating] | None = None,
    ) -> None:
        """Look where points are.

        Args:
            views: those that are trained on, one at least.
            points: (P, 3) that cameras were found by, scene units.
            surface: (S, 3) that photos were matched at, scene units.
        """
        places = np.asarray(points, dtype=np.float64)
        matched = None if surface is None else np.asarray(surface, dtype=np.float64)
        self._points = KDTree(places) if len(places) else None
        self._surface = None if matched is None or not len(matched) else KDTree(matched)
        if matched is not None:
            places = np.concatenate([places, matched])
        # The last one is of no camera: that of means which no camera is near.
        self._near = np.array([*(_near_distance(view, places) for view in views), 0.0])
        self._cameras = KDTree(np.array([view.center() for view in views]))

    def holds(self, means: NDArray[np.floating]) -> NDArray[np.bool_]:
        """Say which means (N, 3) float between the cameras.

        They are nearer to the nearest camera than nearly everything that it sees, and half as far
        or more from all points, and all surfaces, as they are from it.
        """
        found = np.zeros(len(means), dtype=np.bool_)
        if self._points is None or not len(means):
            return found
        distances, nearest = self._cameras.query(means, distance_upper_bound=self._near.max())
        before = np.flatnonzero(distances < self._near[nearest])
        reach = _LONELINESS * distances[before]
        places = np.asarray(means, dtype=np.float64)[before]
        alone = fewer_within(places, reach, self._points, _FEWEST_POINTS)
        if self._surface is not None:
            alone[alone] = fewer_within(
                places[alone], reach[alone], self._surface, _FEWEST_ON_SURFACE
            )
        found[before] = alone
        return found


def free_space(scene: Scene, train: Sequence[int]) -> FreeSpace:
    """Return what the points of a scene say of the space before the cameras `train`."""
    surface = None if scene.surface is None else scene.surface.points
    return FreeSpace([scene.views[index] for index in train], scene.points, surface)


def _near_distance(view: View, points: NDArray[np.float64]) -> float:
    """Return how far from a camera things begin, scene units; 0 where too little is known."""
    _, _, seen = project(points, view)
    if np.count_nonzero(seen) < _MINIMUM_POINTS:
        return 0.0
    return float(np.percentile(np.linalg.norm(points[seen] - view.center(), axis=1), _NEAR_SHARE))
