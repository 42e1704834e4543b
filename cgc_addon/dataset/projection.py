# SPDX-License-Identifier: GPL-3.0-or-later
"""Where points in space are in views, and which views see them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .scene import View


def project(
    points: NDArray[np.float64], view: View
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """Project points into a view; nothing hides anything.

    Args:
        points: (N, 3) scene units.
        view: pinhole camera and pose.

    Returns:
        pixels (N, 2) x right and y down, of any value where not seen; depths (N,) along the camera
        axis, scene units; seen (N,) whether the point lies before the camera and inside the image.

    Example:
        >>> from cgc_addon.dataset.scene import PinholeCamera
        >>> view = View("photo.png", PinholeCamera(20, 10, 10.0, 10.0, 10.0, 5.0), np.eye(4))
        >>> points = np.array([[0.0, 0.0, 2.0], [1.0, 0.5, 2.0], [0.0, 0.0, -2.0]])
        >>> pixels, depths, seen = project(points, view)
        >>> pixels[:2].tolist(), depths.tolist()
        ([[10.0, 5.0], [15.0, 7.5]], [2.0, 2.0, -2.0])
        >>> seen.tolist()
        [True, True, False]
    """
    rotation, translation = view.world_to_camera[:3, :3], view.world_to_camera[:3, 3]
    camera = view.camera
    in_camera = points @ rotation.T + translation
    depths = in_camera[:, 2]
    before = depths > 1e-9
    rays = in_camera[:, :2] / np.where(before, depths, 1.0)[:, None]
    pixels = rays * (camera.fx, camera.fy) + (camera.cx, camera.cy)
    inside = ((pixels >= 0.0) & (pixels < (camera.width, camera.height))).all(axis=1)
    return pixels, depths, before & inside


def view_counts(points: NDArray[np.float64], views: Sequence[View]) -> NDArray[np.int64]:
    """Return in how many views each of the `points` (N, 3) falls inside the image, (N,).

    Example:
        >>> from cgc_addon.dataset.scene import PinholeCamera
        >>> view = View("photo.png", PinholeCamera(20, 10, 10.0, 10.0, 10.0, 5.0), np.eye(4))
        >>> points = np.array([[0.0, 0.0, 2.0], [1.0, 0.5, 2.0], [0.0, 0.0, -2.0]])
        >>> view_counts(points, [view, view]).tolist()
        [2, 2, 0]
    """
    counts = np.zeros(len(points), dtype=np.int64)
    for view in views:
        counts += project(points, view)[2]
    return counts
