# SPDX-License-Identifier: GPL-3.0-or-later
"""`cameras.json`: views to render, without photos; a list of flat records.

Each record has `name`, `width`, `height` in px, `fx`, `fy`, `cx`, `cy` in px with the first pixel's
centre at (0.5, 0.5), and `world_to_camera`, four rows of four numbers, in COLMAP's axes: x right,
y down, z forward.

The file of that name that 3DGS writes beside a trained splat is read as well: `img_name`, `width`,
`height`, `fx`, `fy`, and `position` and `rotation` of the camera in the world, in the same axes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import CgcError
from ..files import read_json, write_json
from .colmap.records import LARGEST_COORDINATE, LARGEST_SIDE
from .names import PHOTO_ENDINGS, check_stems_differ, checked_name
from .scene import PinholeCamera, View

_RIGID_TOLERANCE = 1e-3
"""Largest error of R·Rᵀ; files with four digits pass."""
_INTRINSICS = ("fx", "fy", "cx", "cy")


def write_cameras_json(path: Path, views: Sequence[View]) -> None:
    """Write views so that `read_cameras_json` gives back the same numbers.

    Raises:
        CgcError: the file cannot be written.
    """
    records = []
    for view in views:
        camera = view.camera
        sizes = {"width": camera.width, "height": camera.height}
        intrinsics = {key: float(getattr(camera, key)) for key in _INTRINSICS}
        pose = view.world_to_camera.tolist()
        records.append({"name": view.name, **sizes, **intrinsics, "world_to_camera": pose})
    write_json(path, records)


def read_cameras_json(path: Path) -> tuple[View, ...]:
    """Read views in the order of the file.

    Raises:
        CgcError: the file is missing, is not JSON, or a record cannot be a view.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> view = View("a.jpg", PinholeCamera(64, 48, 50.0, 50.0, 32.0, 24.0), np.eye(4))
        >>> with TemporaryDirectory() as folder:
        ...     write_cameras_json(Path(folder, "cameras.json"), [view])
        ...     (read,) = read_cameras_json(Path(folder, "cameras.json"))
        >>> read.name, read.camera == view.camera
        ('a.jpg', True)
    """
    records = read_json(path)
    if not isinstance(records, list) or not records:
        raise CgcError(f"{path} must be a list of one or more cameras; write it again.")
    views = tuple(
        _view(f"{path}: camera {number}", record) for number, record in enumerate(records, start=1)
    )
    check_stems_differ(str(path), (view.name for view in views))
    return views


def _view(place: str, record: Any) -> View:
    if isinstance(record, dict) and "img_name" in record:
        record = _of_3dgs(place, record)
    if not isinstance(record, dict) or not isinstance(record.get("name"), str):
        raise CgcError(f'{place} must be an object with a "name"; correct the file.')
    name = checked_name(place, record["name"])
    place = f"{place} ({name})"
    width, height = (_number(place, record, key) for key in ("width", "height"))
    if not all(side.is_integer() and 0 < side <= LARGEST_SIDE for side in (width, height)):
        raise CgcError(
            f"{place} is {width:g}×{height:g} px; give whole numbers from 1 to {LARGEST_SIDE}."
        )
    intrinsics = [_number(place, record, key) for key in _INTRINSICS]
    if min(intrinsics[:2]) <= 0.0:
        raise CgcError(f"{place} has the focal length {min(intrinsics[:2]):g} px; it must be > 0.")
    camera = PinholeCamera(int(width), int(height), *intrinsics)
    return View(name, camera, _pose(place, record.get("world_to_camera")))


def _of_3dgs(place: str, record: dict[str, Any]) -> dict[str, Any]:
    """Return a record of 3DGS as one of ours."""
    name = str(record["img_name"])
    if PurePosixPath(name).suffix.lower() not in PHOTO_ENDINGS:
        name += (
            ".png"  # 3DGS leaves endings away, and what is behind a point would be taken for one
        )
    size = {key: _number(place, record, key) for key in ("width", "height")}
    try:
        to_world = np.eye(4)
        to_world[:3, :3], to_world[:3, 3] = record["rotation"], record["position"]
        if not np.isfinite(to_world).all():
            raise ValueError
        pose = np.linalg.inv(to_world).tolist()
    except (KeyError, TypeError, ValueError, OverflowError, np.linalg.LinAlgError):
        raise CgcError(
            f'{place} ({name}) must have a "position" of three numbers and a "rotation" of three '
            "rows of three; correct the file."
        ) from None
    centre = {"cx": size["width"] / 2, "cy": size["height"] / 2}
    return {**record, **centre, "name": name, "world_to_camera": pose}


def _number(place: str, record: dict[str, Any], key: str) -> float:
    value = record.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        value = math.nan
    if not abs(value) < LARGEST_COORDINATE:  # so for NaN
        shown = str(record.get(key))[:40]
        raise CgcError(f'{place}: "{key}" must be a number, but is {shown}; correct the file.')
    return float(value)


def _pose(place: str, rows: Any) -> NDArray[np.float64]:
    try:
        pose = np.array(rows, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        pose = np.empty(0)
    if pose.shape != (4, 4) or not np.all(np.abs(pose) < LARGEST_COORDINATE):
        raise CgcError(
            f'{place}: "world_to_camera" must be four rows of four finite numbers; correct it.'
        )
    rotation = pose[:3, :3]
    turned = np.abs(rotation @ rotation.T - np.eye(3)).max() <= _RIGID_TOLERANCE
    last_row = np.abs(pose[3] - (0.0, 0.0, 0.0, 1.0)).max() <= _RIGID_TOLERANCE
    if not (turned and last_row and np.linalg.det(rotation) > 0.0):
        raise CgcError(
            f'{place}: "world_to_camera" is not a rotation and a shift (it scales, mirrors or '
            "shears); give a rigid matrix with the last row 0 0 0 1."
        )
    return pose
