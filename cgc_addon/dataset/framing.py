# SPDX-License-Identifier: GPL-3.0-or-later
"""How large a scene is and where its up is, told from its cameras."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .names import first_of
from .scene import View

_MARGIN = 1.1
"""3DGS (Kerbl et al. 2023) takes a tenth more than the farthest camera."""
_LARGEST_OUTLYING_SHARE = 0.1
"""Of the cameras; more than these are a part of the capture, however far away."""
_GAP = 10.0
"""Outlying cameras are so many times farther from the middle than the farthest of the others …"""
_BEYOND_POINTS = 3.0
"""… and than half of the points: a few steps aside on a tripod's spot are no outliers."""


def outlying_views(views: Sequence[View], points: NDArray[np.float32]) -> tuple[int, ...]:
    """Return the indices of the few views far away from all others: their poses are wrong.

    Distances are from the median of the camera centres, which a tenth of the cameras cannot move
    far. Where the cameras become gradually rarer outwards, none is outlying.

    Args:
        views: one at least.
        points: (P, 3) scene units.
    """
    count = len(views)
    centers = np.array([view.center() for view in views])
    middle = np.median(centers, axis=0)
    distances = np.linalg.norm(centers - middle, axis=1)
    order = np.argsort(distances, kind="stable")
    reach = np.median(np.linalg.norm(points - middle, axis=1)) if len(points) else 0.0
    for first in range(count - int(_LARGEST_OUTLYING_SHARE * count), count):
        nearest, inside = distances[order[first]], distances[order[first - 1]]
        if inside + reach > 0.0 and nearest > max(_GAP * inside, _BEYOND_POINTS * reach):
            return tuple(sorted(int(index) for index in order[first:]))
    return ()


def usual_views(views: Sequence[View], points: NDArray[np.float32]) -> tuple[View, ...]:
    """Return the views without outlying ones: those that tell where a scene is and how large.

    Args:
        views: one at least.
        points: (P, 3) scene units.
    """
    outlying = set(outlying_views(views, points))
    return tuple(view for index, view in enumerate(views) if index not in outlying)


def describe_outlying(place: Path, views: Sequence[View], indices: Sequence[int]) -> str:
    """Return a sentence on views that are outlying.

    Args:
        place: of the cameras, how the sentence begins.
        views: all of them.
        indices: of the outlying ones, one at least.
    """
    names = first_of([views[index].name for index in indices])
    return (
        f"{place}: {len(indices)} of {len(views)} cameras are far away from all others, their "
        f"poses are probably wrong: {names}; the size of the scene is told without them, take "
        "these photos out if the result suffers."
    )


def scene_center(views: Sequence[View], points: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the mean place (3,) of the cameras, outlying ones left out, scene units.

    Args:
        views: one at least.
        points: (P, 3) scene units.
    """
    return np.mean([view.center() for view in usual_views(views, points)], axis=0)


def scene_extent(views: Sequence[View], points: NDArray[np.float32]) -> float:
    """Return 1.1 times the largest distance of a camera from the mean camera centre, as in 3DGS.

    Outlying cameras are to be left out before: a single one makes the scene any size.

    Cameras that are all in one place say nothing of size: then it is 1.1 times the median distance
    of the points from them, and 1 without points.

    Args:
        views: one at least, see `usual_views`.
        points: (P, 3) scene units.

    Returns:
        scene units, > 0.

    Example:
        >>> from cgc_addon.dataset.scene import PinholeCamera
        >>> camera = PinholeCamera(64, 48, 50.0, 50.0, 32.0, 24.0)
        >>> right = np.eye(4)
        >>> right[0, 3] = -4.0  # 4 units to the right of the other
        >>> views = [View("a.jpg", camera, np.eye(4)), View("b.jpg", camera, right)]
        >>> round(scene_extent(views, np.zeros((0, 3), np.float32)), 6)  # 2 units and a tenth
        2.2
    """
    centers = np.array([view.center() for view in views])
    mean = centers.mean(axis=0)
    radius = np.linalg.norm(centers - mean, axis=1).max()
    if radius <= 1e-9 * max(1.0, np.abs(centers).max()):
        radius = np.median(np.linalg.norm(points - mean, axis=1)) if len(points) else 0.0
    return float(_MARGIN * radius) if radius > 0.0 else 1.0


def scene_up(views: Sequence[View]) -> NDArray[np.float64]:
    """Return the unit vector (3,) that points up, supposing that cameras were held level.

    A level camera's x axis is horizontal whatever its pitch, so up is the direction that is most
    nearly perpendicular to all of them. Where they do not span a plane (one view, a straight
    line of views) or contradict the mean of what the cameras have above them (portrait and
    landscape mixed), that mean is taken.

    Example:
        >>> from cgc_addon.dataset.scene import PinholeCamera
        >>> camera = PinholeCamera(64, 48, 50.0, 50.0, 32.0, 24.0)
        >>> scene_up([View("a.jpg", camera, np.eye(4))]).tolist()  # y points down
        [0.0, -1.0, 0.0]
    """
    rotations = np.array([view.world_to_camera[:3, :3] for view in views])
    rights, ups = rotations[:, 0], -rotations[:, 1]
    mean = ups.mean(axis=0)
    if np.linalg.norm(mean) < 1e-6:  # e.g. half of the cameras upside down
        return ups[0] / np.linalg.norm(ups[0])
    mean /= np.linalg.norm(mean)
    sizes, axes = np.linalg.eigh(rights.T @ rights / len(rights))
    level = axes[:, 0] * (1.0 if axes[:, 0] @ mean >= 0.0 else -1.0)
    spans_plane = sizes[1] > 4.0 * sizes[0] + 0.01
    return level if spans_plane and level @ mean > 0.7 else mean
