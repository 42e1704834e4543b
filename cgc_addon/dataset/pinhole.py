# SPDX-License-Identifier: GPL-3.0-or-later
"""COLMAP cameras as pinhole cameras, without touching photos: exactly, or with distortion ignored.

NumPy alone: Blender shows cameras with it. Photos of distorted cameras become those of a pinhole
camera in `undistort`.
"""

from __future__ import annotations

from ..errors import CgcError
from .colmap.records import ColmapCamera
from .scene import PinholeCamera

NO_DISTORTION = 1e-8
"""COLMAP, too, takes smaller distortion parameters for 0."""


def is_pinhole(camera: ColmapCamera) -> bool:
    """Say whether straight lines stay straight in the photos of `camera`.

    So it is for SIMPLE_PINHOLE and PINHOLE, and for other perspective models whose distortion is 0.

    Example:
        >>> is_pinhole(ColmapCamera("SIMPLE_RADIAL", 640, 480, (500.0, 320.0, 240.0, 0.0)))
        True
        >>> is_pinhole(ColmapCamera("SIMPLE_RADIAL", 640, 480, (500.0, 320.0, 240.0, 0.1)))
        False
    """
    kind = camera.kind
    if kind.fisheye or kind.is_panorama:
        return False
    return all(abs(camera.value(name)) < NO_DISTORTION for name in kind.distortion)


def approximate_pinhole(camera: ColmapCamera) -> PinholeCamera:
    """Return the pinhole camera with the focal lengths and the centre of `camera`.

    Distortion is ignored: the two agree around the centre of the photo, less so at its border.

    Raises:
        CgcError: it is a panorama, which has no focal length.

    Example:
        >>> approximate_pinhole(ColmapCamera("SIMPLE_RADIAL", 640, 480, (500.0, 320.0, 240.0, 0.1)))
        PinholeCamera(width=640, height=480, fx=500.0, fy=500.0, cx=320.0, cy=240.0)
    """
    if camera.kind.is_panorama:
        raise CgcError(
            f"A {camera.model} camera takes panoramas, which no pinhole camera can show; "
            "cut the panoramas into perspective photos and solve those."
        )
    fx, fy = camera.focal_lengths
    return PinholeCamera(
        camera.width, camera.height, fx, fy, camera.value("cx"), camera.value("cy")
    )
