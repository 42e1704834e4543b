# SPDX-License-Identifier: GPL-3.0-or-later
"""Captures in map coordinates (UTM, ECEF) are taken relative to a place among them.

Gaussians, points and whatever Blender holds are 32-bit numbers, which 4,600 km from the origin are
half a metre apart. So what is far is shifted while it is still in double precision.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from .colmap.records import ColmapImage
from .scene import View

_FAR = 100.0
"""In sizes of the capture: nearer ones keep five digits of it, and stay where they are."""
_STEP = 10.0
"""Shifts are multiples of it, scene units: short to read, and whole numbers in 32 bits."""


def origin_for(places: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the place (3,) that places should be taken relative to: 0 0 0 if they are not far.

    Args:
        places: (N, 3) finite, scene units; a minority of them may be anywhere.

    Example:
        >>> square = np.array([[0.0, 0, 0], [4, 0, 0], [0, 4, 0], [4, 4, 0]])
        >>> origin_for(square + (5, 20, 0)).tolist()
        [0.0, 0.0, 0.0]
        >>> origin_for(square + (500123.25, 4649776.5, 120)).tolist()
        [500130.0, 4649780.0, 120.0]
    """
    if not len(places):
        return np.zeros(3)
    middle = np.median(places, axis=0)
    size = float(np.median(np.linalg.norm(places - middle, axis=1))) or 1.0
    if np.linalg.norm(middle) <= _FAR * size:
        return np.zeros(3)
    return np.round(middle / _STEP) * _STEP


def origin_of_images(images: Sequence[ColmapImage]) -> NDArray[np.float64]:
    """Return the place (3,) that a model should be taken relative to; its cameras decide."""
    poses = np.array([image.world_to_camera for image in images]).reshape(-1, 4, 4)
    return origin_for(-np.einsum("nji,nj->ni", poses[:, :3, :3], poses[:, :3, 3]))


def relative_images(
    images: Sequence[ColmapImage], origin: NDArray[np.float64]
) -> tuple[ColmapImage, ...]:
    """Return images in a frame whose origin (3,) is that place, scene units."""
    return tuple(
        replace(image, world_to_camera=_relative(image.world_to_camera, origin)) for image in images
    )


def relative_views(views: Sequence[View], origin: NDArray[np.float64]) -> tuple[View, ...]:
    """Return views in a frame whose origin (3,) is that place, scene units."""
    return tuple(
        replace(view, world_to_camera=_relative(view.world_to_camera, origin)) for view in views
    )


def nearer_frame(views: Sequence[View], origin: NDArray[np.float64]) -> tuple[View, ...]:
    """Return views relative to an origin, whether or not they were so already.

    Cameras are near what they look at: those that are nearer to `origin` (3,) than to 0 0 0 are
    still in map coordinates.
    """
    middle = np.median([view.center() for view in views], axis=0)
    already = np.linalg.norm(middle) <= np.linalg.norm(middle - origin)
    return tuple(views) if already else relative_views(views, origin)


def describe_origin(place: object, origin: NDArray[np.float64]) -> str:
    """Return a sentence on a capture that is taken relative to an origin (3,).

    Args:
        place: of the cameras, how the sentence begins.
        origin: scene units.
    """
    return (
        f"{place} is in map coordinates, too far from 0 0 0 for 32-bit numbers: here everything is "
        f"relative to {origin_in_words(origin)}; exports are put back."
    )


def origin_in_words(origin: NDArray[np.float64]) -> str:
    """Return an origin (3,) as people write it.

    Example:
        >>> origin_in_words(np.array([500120.0, 4649780.0, 120.0]))
        '(500120, 4649780, 120)'
    """
    return f"({', '.join(f'{value:.15g}' for value in origin)})"


def _relative(
    world_to_camera: NDArray[np.float64], origin: NDArray[np.float64]
) -> NDArray[np.float64]:
    pose = world_to_camera.copy()
    pose[:3, 3] += pose[:3, :3] @ origin
    return pose
