# SPDX-License-Identifier: GPL-3.0-or-later
"""Cameras and posed images of a COLMAP model, and the checks that binary and text files share."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...errors import CgcError
from ..names import name_below, stem_of
from .camera_models import CAMERA_MODELS, CameraModel

LARGEST_SIDE = 65535
"""Photos with a longer side than this, px, exist in damaged files only; it is JPEG's limit."""
LARGEST_COORDINATE = 1e15
"""Beyond this, scene units, float32 arithmetic on squares overflows."""


@dataclass(frozen=True)
class ColmapCamera:
    """Intrinsics of one of COLMAP's camera models, distortion included.

    Example:
        >>> params = (500.0, 510.0, 320.0, 240.0, 0.1, 0.0, 0.0, 0.0)
        >>> camera = ColmapCamera("OPENCV", 640, 480, params)
        >>> camera.focal_lengths, camera.value("k1")
        ((500.0, 510.0), 0.1)
        >>> camera.resized(320, 240).params
        (250.0, 255.0, 160.0, 120.0, 0.1, 0.0, 0.0, 0.0)
    """

    model: str
    """COLMAP's name: "OPENCV"."""
    width: int
    height: int
    params: tuple[float, ...]
    """In COLMAP's order for this model; pixels where they are lengths."""

    @property
    def kind(self) -> CameraModel:
        """What the parameters are."""
        return CAMERA_MODELS[self.model]

    def value(self, name: str) -> float:
        """Return one parameter by its name: "cx", "k1"."""
        return self.params[self.kind.parameters.index(name)]

    @property
    def focal_lengths(self) -> tuple[float, float]:
        """Along x and y, px; no panorama has them."""
        if "f" in self.kind.parameters:
            return self.value("f"), self.value("f")
        return self.value("fx"), self.value("fy")

    def resized(self, width: int, height: int) -> ColmapCamera:
        """Return the camera of the same photo at another size in pixels, as COLMAP rescales it."""
        x, y = width / self.width, height / self.height
        scales = {"f": (x + y) / 2, "fx": x, "fy": y, "cx": x, "cy": y, "w": x, "h": y}
        named = zip(self.kind.parameters, self.params, strict=True)
        params = tuple(value * scales.get(name, 1.0) for name, value in named)
        return ColmapCamera(self.model, width, height, params)


@dataclass(frozen=True, eq=False)
class ColmapImage:
    """A photo that has been given a pose."""

    name: str
    """Path below the images folder, forward slashes."""
    camera_id: int
    world_to_camera: NDArray[np.float64]
    """(4, 4) rigid; x right, y down, z forward; scene units."""

    @property
    def stem(self) -> str:
        """The name without its ending, as `View.stem`."""
        return stem_of(self.name)


def checked_camera(
    place: str, model: str, width: int, height: int, params: Iterable[float]
) -> ColmapCamera:
    """Return a `ColmapCamera` after checking that it can be one.

    Args:
        place: file and position, how the error begins.
        model: COLMAP's name of the camera model.
        width: px.
        height: px.
        params: as many as the model has.

    Raises:
        CgcError: size, parameters or focal length are impossible.
    """
    camera = ColmapCamera(model, width, height, tuple(float(p) for p in params))
    if not (0 < width <= LARGEST_SIDE and 0 < height <= LARGEST_SIDE):
        raise CgcError(
            f"{place} says that photos are {width}×{height} px, which cannot be; "
            "the file is damaged, export the model again."
        )
    if not all(math.isfinite(p) for p in camera.params):
        raise CgcError(
            f"{place} has parameters that are not finite numbers: {camera.params}; "
            "solve the cameras again."
        )
    if not camera.kind.is_panorama and min(camera.focal_lengths) <= 0.0:
        raise CgcError(
            f"{place} has a focal length that is not positive: {min(camera.focal_lengths):g} px; "
            "solve the cameras again."
        )
    return camera


def checked_image(
    place: str, name: str, camera_id: int, quaternion: Iterable[float], translation: Iterable[float]
) -> ColmapImage:
    """Return a `ColmapImage` after checking that its pose is one and its name a path.

    Args:
        place: file and position, how the error begins.
        name: as stored.
        camera_id: as stored.
        quaternion: wxyz, world to camera, any length but 0.
        translation: world to camera, scene units.

    Raises:
        CgcError: name or pose cannot be used.
    """
    name = name_below(place, name)
    q = np.array(tuple(quaternion), dtype=np.float64)
    t = np.array(tuple(translation), dtype=np.float64)
    length = float(np.linalg.norm(q)) if np.all(np.abs(q) < LARGEST_COORDINATE) else math.nan
    if not (length > 1e-9 and np.all(np.abs(t) < LARGEST_COORDINATE)):
        raise CgcError(
            f"{place} ({name}) has a pose that is none: rotation {q.tolist()}, translation "
            f"{t.tolist()}; take this image out of the model or solve the cameras again."
        )
    world_to_camera = np.eye(4)
    world_to_camera[:3, :3] = rotation_matrix(q / length)
    world_to_camera[:3, 3] = t
    return ColmapImage(name, camera_id, world_to_camera)


def rotation_matrix(quaternion: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the rotation (3, 3) of a unit quaternion (4,) wxyz.

    Example:
        >>> rotation_matrix(np.array([0.0, 0.0, 0.0, 1.0])).tolist()  # half a turn around z
        [[-1.0, 0.0, 0.0], [0.0, -1.0, 0.0], [0.0, 0.0, 1.0]]
    """
    w, x, y, z = quaternion
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )
