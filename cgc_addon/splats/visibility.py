# SPDX-License-Identifier: GPL-3.0-or-later
"""What colour photos have at points in space."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..dataset.projection import project
from ..dataset.scene import View

Photo = Callable[[int], NDArray[np.uint8]]
"""Gives the photo of the view with this index: (H, W, 3) sRGB, at any size."""

NEUTRAL_GREY = 128
"""Colour of points that no photo shows."""


def mean_colors(
    points: NDArray[np.float64],
    views: Sequence[View],
    photo: Photo | None,
    spacing: float = 0.0,
) -> NDArray[np.uint8]:
    """Colour points with the mean of the photos that show their place.

    Args:
        points: (N, 3) scene units.
        views: what `photo` numbers.
        photo: gives the photos, or None when there are none to look at.
        spacing: distance between neighbouring points, scene units: each photo is averaged over
            about as many pixels as lie between two of them, so that no single pixel decides.

    Returns:
        (N, 3) sRGB, grey where no photo shows the point.

    Example:
        >>> from cgc_addon.dataset.scene import PinholeCamera
        >>> view = View("photo.png", PinholeCamera(20, 10, 10.0, 10.0, 10.0, 5.0), np.eye(4))
        >>> points = np.array([[0.0, 0.0, 2.0], [1.0, 0.5, 2.0], [0.0, 0.0, -2.0]])
        >>> photos = [np.full((10, 20, 3), level, np.uint8) for level in (100, 200)]
        >>> mean_colors(points, [view, view], photos.__getitem__).tolist()
        [[150, 150, 150], [150, 150, 150], [128, 128, 128]]
    """
    if photo is None:
        return np.full((len(points), 3), NEUTRAL_GREY, dtype=np.uint8)
    sums = np.zeros((len(points), 3))
    counts = np.zeros(len(points))
    for index, view in enumerate(views):
        pixels, depths, seen = project(points, view)
        if not seen.any():
            continue
        image = np.asarray(photo(index))
        scale = np.array([image.shape[1] / view.camera.width, image.shape[0] / view.camera.height])
        footprint = spacing * view.camera.fx * scale[0] / float(np.median(depths[seen]))
        factor = int(np.clip(footprint / 2, 1, min(image.shape[:2])))
        reduced = np.asarray(Image.fromarray(image).reduce(factor))
        columns, rows = (pixels[seen] * scale / factor).astype(np.int64).T
        rows = np.minimum(rows, reduced.shape[0] - 1)
        columns = np.minimum(columns, reduced.shape[1] - 1)
        sums[seen] += reduced[rows, columns]
        counts[seen] += 1
    means = sums / np.maximum(counts, 1)[:, None]
    return np.where(counts[:, None] > 0, np.rint(means), NEUTRAL_GREY).astype(np.uint8)
