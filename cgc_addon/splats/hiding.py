# SPDX-License-Identifier: GPL-3.0-or-later
"""What surfaces hide of what lies far behind them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

from ..dataset.projection import project
from ..dataset.scene import View

_CELLS = 96
"""Along the longest side of a picture: points on a surface that was matched leave no gaps then."""


def hidden_shares(
    places: NDArray[np.floating],
    views: Sequence[View],
    surface: NDArray[np.floating],
    spacing: float,
) -> NDArray[np.float64]:
    """Tell how much of the surroundings of far places surfaces hide, where they hide least.

    Args:
        places: (N, 3) behind all surfaces, scene units.
        views: that look at them.
        surface: (P, 3) points, close together.
        spacing: width of a place's surroundings, scene units.

    Returns:
        (N,) the smallest share among the views that show a place: 0 where one sees all of it, 1
        where it is hidden from all of them, or none looks there.

    Example:
        >>> from cgc_addon.dataset.scene import PinholeCamera
        >>> view = View("photo.png", PinholeCamera(96, 96, 96.0, 96.0, 48.0, 48.0), np.eye(4))
        >>> wall = np.stack(np.meshgrid(np.arange(-0.5, 0, 0.01), np.arange(-0.5, 0.5, 0.01)), -1)
        >>> wall = np.column_stack([wall.reshape(-1, 2), np.ones(5000)])  # in its left half
        >>> hidden_shares(np.array([[-25.0, 0, 100], [25.0, 0, 100]]), [view], wall, 5.0).tolist()
        [1.0, 0.0]
    """
    shares = np.ones(len(places))
    points, places = np.asarray(surface, np.float64), np.asarray(places, np.float64)
    for view in views:
        pixels, depths, seen = project(places, view)
        if not seen.any():
            continue
        camera = view.camera
        side = max(camera.width, camera.height) / _CELLS  # px
        covered = np.zeros((int(camera.height // side) + 1, int(camera.width // side) + 1))
        before, _, shown = project(points, view)
        columns, rows = (before[shown] // side).astype(np.int64).T
        covered[rows, columns] = 1.0
        cells_across = spacing * camera.fx / float(np.median(depths[seen])) / side
        around = uniform_filter(covered, max(1, round(cells_across)) | 1, mode="nearest")
        columns, rows = (pixels[seen] // side).astype(np.int64).T
        shares[seen] = np.minimum(shares[seen], around[rows, columns])
    return shares
