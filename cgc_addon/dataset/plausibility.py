# SPDX-License-Identifier: GPL-3.0-or-later
"""What makes it unlikely that a capture can be trained on, told from its cameras and points."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .framing import usual_views
from .projection import project
from .scene import View

_POINTS_LOOKED_AT = 2_000
_FEWEST_POINTS = 10
"""With fewer nothing is said of them."""
_ONE_PLACE = 1e-3
"""Of the distance to the points: what a camera turned on a tripod moves."""


def describe_doubts(
    place: Path, views: Sequence[View], points: NDArray[np.float32]
) -> tuple[str, ...]:
    """Return sentences on what cannot be meant.

    Args:
        place: of the cameras, how the sentences begin.
        views: one at least.
        points: (P, 3) scene units.
    """
    if len(points) < _FEWEST_POINTS:
        return ()
    doubts = []
    depths = seen_depths(views, points)
    if not len(depths):
        doubts.append(
            f"{place}: no camera sees any of the points, so that cameras and points are probably "
            "of different frames; export both together again."
        )
    elif len(views) > 1 and _in_one_place(usual_views(views, points), depths):
        doubts.append(
            f"{place}: all photos were taken from one place; training works, but depth stays "
            "unknown, take photos from several places."
        )
    return tuple(doubts)


def seen_depths(views: Sequence[View], points: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return how far away (K,) points are in the views that show them, along the view, scene units.

    Of many points, some at even distances in their order are looked at.

    Args:
        views: V.
        points: (P, 3) scene units.

    Example:
        >>> from cgc_addon.dataset.scene import PinholeCamera
        >>> camera = PinholeCamera(64, 48, 50.0, 50.0, 32.0, 24.0)
        >>> points = np.array([[0, 0, 3], [9, 0, 3], [0, 0, -3]], np.float32)
        >>> seen_depths([View("a.jpg", camera, np.eye(4))], points).tolist()
        [3.0]
    """
    some = points[:: max(1, -(-len(points) // _POINTS_LOOKED_AT))].astype(np.float64)
    depths = [np.zeros(0)]
    for view in views:
        _, along, seen = project(some, view)
        depths.append(along[seen])
    return np.concatenate(depths)


def _in_one_place(views: Sequence[View], depths: NDArray[np.float64]) -> bool:
    centers = np.array([view.center() for view in views])
    reach = np.linalg.norm(centers - np.median(centers, axis=0), axis=1).max()
    return bool(reach <= _ONE_PLACE * np.median(depths))
