# SPDX-License-Identifier: GPL-3.0-or-later
"""Photos of any COLMAP camera become those of a pinhole camera, as COLMAP undistorts them."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ..errors import CgcError
from ..signals import handlers_kept
from .colmap.records import ColmapCamera
from .pinhole import approximate_pinhole, is_pinhole
from .scene import PinholeCamera

with handlers_kept():  # or SIGTERM would end the process with a native stack trace
    import pycolmap

Id = TypeVar("Id", np.uint16, np.int32)

_ROWS_AT_ONCE = 256
_LEAST_VALID = 0.5
"""A pinhole camera that sees less of its photo than this share comes from a wrong calibration."""


def to_pycolmap(camera: ColmapCamera) -> pycolmap.Camera:
    """Return the same camera as pycolmap's class, which projects and undistorts."""
    return pycolmap.Camera(
        model=camera.model,
        width=camera.width,
        height=camera.height,
        params=np.array(camera.params, dtype=np.float64),
    )


def pinhole_camera(camera: ColmapCamera, place: str) -> PinholeCamera:
    """Return the pinhole camera that COLMAP's undistortion chooses when it leaves no blank pixels.

    It has the focal lengths of `camera`; its size is the largest one that shows no pixel outside
    the photo, held between 0.2 and 2 times the photo's.

    Args:
        camera: of any model but spherical ones.
        place: what the error names, "cameras.bin: camera 1".

    Raises:
        CgcError: the camera has no pinhole equivalent.
    """
    if camera.kind.is_panorama:
        raise CgcError(
            f"{place} is a {camera.model} camera, a panorama that no pinhole camera can show; "
            "cut the panoramas into perspective photos and solve those."
        )
    if is_pinhole(camera):
        return approximate_pinhole(camera)
    options = pycolmap.UndistortCameraOptions(blank_pixels=0.0)
    try:
        model = pycolmap.undistort_camera(options, to_pycolmap(camera))
    except (ValueError, RuntimeError) as error:
        raise _hopeless(camera, place) from error
    pinhole = PinholeCamera(
        width=int(model.width),
        height=int(model.height),
        fx=float(model.focal_length_x),
        fy=float(model.focal_length_y),
        cx=float(model.principal_point_x),
        cy=float(model.principal_point_y),
    )
    preview = pinhole.resized(32, 32)
    if valid_pixels(source_positions(camera, preview)).mean() < _LEAST_VALID:
        raise _hopeless(camera, place)
    return pinhole


def source_positions(camera: ColmapCamera, pinhole: PinholeCamera) -> NDArray[np.float32]:
    """Return where in the photo each pixel of the pinhole camera looks.

    Args:
        camera: the photo's.
        pinhole: of any size.

    Returns:
        (2, H, W) x and y in pixels of the photo, the first pixel's centre at (0.5, 0.5);
        −1 where nothing is seen.
    """
    model = to_pycolmap(camera)
    positions = np.empty((2, pinhole.height, pinhole.width), dtype=np.float32)
    x = (np.arange(pinhole.width) + 0.5 - pinhole.cx) / pinhole.fx
    for start in range(0, pinhole.height, _ROWS_AT_ONCE):
        rows = np.arange(start, min(start + _ROWS_AT_ONCE, pinhole.height))
        y = (rows + 0.5 - pinhole.cy) / pinhole.fy
        rays = np.stack(np.broadcast_arrays(x, y[:, None], 1.0), axis=-1)
        seen = np.asarray(model.img_from_cam(rays.reshape(-1, 3)))  # NaN where there is no image
        inside = np.all((seen >= 0.0) & (seen <= (camera.width, camera.height)), axis=1)
        seen[~inside] = -1.0
        positions[:, rows] = seen.T.reshape(2, len(rows), pinhole.width)
    return positions


def positions_in_pinhole(
    camera: ColmapCamera, pinhole: PinholeCamera, points: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Return where the pinhole camera shows what is at places of a photo.

    Args:
        camera: the photo's.
        pinhole: of any size.
        points: (P, 2) x and y in pixels of the photo, the first pixel's centre at (0.5, 0.5).

    Returns:
        (P, 2) in pixels of the pinhole camera; NaN where the photo's camera has no such ray.
    """
    rays = np.asarray(to_pycolmap(camera).cam_from_img(np.asarray(points, np.float64)))
    return rays * (pinhole.fx, pinhole.fy) + (pinhole.cx, pinhole.cy)


def valid_pixels(positions: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return (H, W): whether the photo covers the pixel, for (2, H, W) of `source_positions`."""
    return positions[0] >= 0.0


def remap_bilinear(
    photo: NDArray[np.uint8], camera: ColmapCamera, positions: NDArray[np.float32]
) -> NDArray[np.uint8]:
    """Take colours from a photo between its pixel centres.

    Args:
        photo: (h, w, 3), the photo at its own or any smaller size.
        camera: the photo's at its own size, in whose pixels `positions` are.
        positions: (2, H, W) from `source_positions`.

    Returns:
        (H, W, 3), black where nothing is seen; beyond the outer pixel centres their colour goes on.
    """
    height, width = photo.shape[:2]
    right, below = int(width > 1), width * int(height > 1)
    channels = np.ascontiguousarray(photo.reshape(-1, 3).T)
    result = np.empty((*positions.shape[1:], 3), dtype=np.uint8)
    for start in range(0, len(result), _ROWS_AT_ONCE):
        part = positions[:, start : start + _ROWS_AT_ONCE]
        column, across = _pixel_and_share(part[0] * np.float32(width / camera.width), width)
        row, down = _pixel_and_share(part[1] * np.float32(height / camera.height), height)
        corner = row * width + column
        valid = valid_pixels(part)
        for channel, values in enumerate(channels):
            top = _between(values[corner], values[corner + right], across)
            bottom = _between(values[corner + below], values[corner + below + right], across)
            color = top + (bottom - top) * down + np.float32(0.5)
            result[start : start + _ROWS_AT_ONCE, :, channel] = np.where(valid, color, 0.0)
    return result


def remap_nearest(
    image: NDArray[Id], camera: ColmapCamera, positions: NDArray[np.float32]
) -> NDArray[Id]:
    """Take ids from the pixels of a label map; 0 where nothing is seen.

    Args:
        image: (h, w), the label map of the photo at any size.
        camera: the photo's, in whose pixels `positions` are.
        positions: (2, H, W) from `source_positions`.

    Returns:
        (H, W) ids.
    """
    height, width = image.shape
    columns = np.minimum((positions[0] * (width / camera.width)).astype(np.int64), width - 1)
    rows = np.minimum((positions[1] * (height / camera.height)).astype(np.int64), height - 1)
    return np.where(valid_pixels(positions), image[rows, columns], image.dtype.type(0))


def _pixel_and_share(
    positions: NDArray[np.float32], size: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return the pixel before each position on one axis, and the share of the pixel after it."""
    place = np.clip(positions - np.float32(0.5), 0.0, size - 1)
    pixel = np.minimum(place.astype(np.int64), max(size - 2, 0))
    return pixel, place - pixel.astype(np.float32)


def _between(
    start: NDArray[np.uint8], end: NDArray[np.uint8], share: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return what lies at a `share` of the way from `start` to `end`; all of one shape."""
    begin = start.astype(np.float32)
    return begin + (end - begin) * share


def _hopeless(camera: ColmapCamera, place: str) -> CgcError:
    return CgcError(
        f"{place} ({camera.model} {camera.width}×{camera.height}, {camera.params}) has a "
        "distortion that cannot be undone; the calibration is wrong, solve the cameras again."
    )
