# SPDX-License-Identifier: GPL-3.0-or-later
"""In which of two frames points are: where they have the colours that photos show there.

An object in the middle of a ring of cameras is seen by all of them whichever way it is turned, so
where cameras look tells nothing of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..colmap.records import ColmapCamera, ColmapImage

SmallPhoto = Callable[[Path], NDArray[np.uint8] | None]
"""Returns a photo (H, W, 3) sRGB, as small as it likes, None where it cannot be read."""
_PHOTOS, _POINTS = 8, 1000
"""At most, of those there are."""
_ENOUGH = 100
"""Points in photos; of fewer, chance would decide."""
_CLEARLY = 0.85
"""How much smaller the difference must be in the other frame; points that are hidden, of which
there are many, differ in both."""


def fits_better(
    points: NDArray[np.float64],
    other: NDArray[np.float64],
    colors: NDArray[np.uint8],
    images: Sequence[ColmapImage],
    cameras: Mapping[int, ColmapCamera],
    photos: Path,
    small_photo: SmallPhoto,
) -> bool:
    """Say whether the photos clearly speak for the `other` places of points.

    They do not where the points have no colours, or the photos cannot be read.

    Args:
        points: (P, 3) in the one frame, scene units.
        other: (P, 3) in the other.
        colors: (P, 3) sRGB.
        images: one at least.
        cameras: theirs, by id; lenses are taken for ideal.
        photos: folder that names of images are paths below.
        small_photo: reads one.
    """
    if not len(points) or not np.ptp(colors, axis=0).any():
        return False
    some = slice(None, None, max(1, len(points) // _POINTS))
    here, there = [], []
    for image in images[:: max(1, len(images) // _PHOTOS)]:
        picture = small_photo(photos / image.name)
        camera = cameras[image.camera_id]
        if picture is None or camera.kind.is_panorama:
            continue
        here.append(_differences(points[some], colors[some], image, camera, picture))
        there.append(_differences(other[some], colors[some], image, camera, picture))
    if not here:
        return False
    differences, others = np.concatenate(here), np.concatenate(there)
    if min(len(differences), len(others)) < _ENOUGH:
        return False
    return bool(np.mean(others) < _CLEARLY * np.mean(differences))


def _differences(
    points: NDArray[np.float64],
    colors: NDArray[np.uint8],
    image: ColmapImage,
    camera: ColmapCamera,
    picture: NDArray[np.uint8],
) -> NDArray[np.float64]:
    """Return by how much colours differ (N,) for the points that are in the picture (H, W, 3)."""
    seen = points @ image.world_to_camera[:3, :3].T + image.world_to_camera[:3, 3]
    ahead = seen[:, 2] > 0.0
    center = (camera.value("cx"), camera.value("cy"))
    places = seen[ahead, :2] / seen[ahead, 2:] * camera.focal_lengths + center
    height, width = picture.shape[:2]
    places = places * (width / camera.width, height / camera.height)
    inside = np.all((places >= 0.0) & (places < (width, height)), axis=1)
    columns, rows = places[inside].astype(np.int64).T
    shown = picture[rows, columns].astype(np.float64)
    return np.abs(shown - colors[ahead][inside]).mean(axis=1)
