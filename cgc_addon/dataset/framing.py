# SPDX-License-Identifier: GPL-3.0-or-later
"""How large a scene is and where its up is, told from its cameras."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .scene import View

_MARGIN = 1.1
"""3DGS (Kerbl et al. 2023) takes a tenth more than the farthest camera."""


def scene_extent(views: Sequence[View], points: NDArray[np.float32]) -> float:
    """Return 1.1 times the largest distance of a camera from the mean camera centre, as in 3DGS.

    Cameras that are all in one place say nothing of size: then it is 1.1 times the median distance
    of the points from them, and 1 without points.

    Args:
        views: one at least.
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
