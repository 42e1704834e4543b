# SPDX-License-Identifier: GPL-3.0-or-later
"""The binary files of a COLMAP model: little-endian records behind a count.

Every count is compared with the bytes that are left before anything is made of it, so a damaged
file costs neither time nor memory.
"""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...errors import CgcError
from ..names import NotUnicodeError
from .camera_models import CAMERA_MODELS, MODEL_NAMES
from .records import ColmapCamera, ColmapImage, checked_camera, checked_image

_COUNT = struct.Struct("<Q")
_CAMERA = struct.Struct("<IiQQ")
"""Id, model, width, height; then the model's parameters as doubles."""
_IMAGE = struct.Struct("<I4d3dI")
"""Id, quaternion wxyz, translation, camera id; then the name, a zero, a count of 2D points."""
_POINT_2D_SIZE = 24
_POINT = struct.Struct("<Q3d3Bd")
"""Id, position, colour, error; then a count of track elements."""
_TRACK_ELEMENT_SIZE = 8
_LONGEST_NAME = 4096


class _Records:
    """Walks through a file of `count` records and knows where it is when something is wrong."""

    def __init__(self, path: Path, kind: str, smallest: int) -> None:
        self.path = path
        self.kind = kind
        self.data = path.read_bytes()
        self.offset = 0
        self.record = 0
        (self.count,) = self.take(_COUNT)
        left = len(self.data) - self.offset
        if self.count * smallest > left:
            raise self.damaged(
                f"it announces {self.count} {kind}s, but has room for {left // smallest} at most"
            )

    def advance(self) -> bool:
        """Go on to the next record; False after the last one, if the file ends there too."""
        if self.record < self.count:
            self.record += 1
            return True
        left = len(self.data) - self.offset
        if left:
            raise self.damaged(f"{left} bytes follow the last of {self.count} {self.kind}s")
        return False

    def take(self, layout: struct.Struct) -> tuple:
        start = self.offset
        self.skip(layout.size)
        return layout.unpack_from(self.data, start)

    def skip(self, size: int) -> None:
        if size > len(self.data) - self.offset:
            place = f"{self.kind} {self.record} of {self.count}" if self.record else "the count"
            raise self.damaged(f"it ends within {place}")
        self.offset += size

    def take_name(self, encoding: str) -> str:
        end = self.data.find(b"\0", self.offset, self.offset + _LONGEST_NAME)
        if end < 0:
            raise self.damaged(f"the name of {self.kind} {self.record} has no end")
        raw = self.data[self.offset : end]
        self.offset = end + 1
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            raise NotUnicodeError(
                f"{self.path} is damaged at byte {self.offset}: the name of {self.kind} "
                f"{self.record} is not UTF-8; copy or export the model again."
            ) from None

    def damaged(self, reason: str) -> CgcError:
        return CgcError(
            f"{self.path} is damaged at byte {self.offset}: {reason}; "
            "copy or export the model again."
        )

    def place(self) -> str:
        return f"{self.path}: {self.kind} {self.record} of {self.count}"


def read_cameras(path: Path) -> dict[int, ColmapCamera]:
    """Read `cameras.bin`.

    Returns:
        The cameras by id.

    Raises:
        CgcError: the file is damaged or a camera impossible.
        OSError: the file cannot be read.
    """
    records = _Records(path, "camera", _CAMERA.size)
    cameras: dict[int, ColmapCamera] = {}
    while records.advance():
        camera_id, model_id, width, height = records.take(_CAMERA)
        if model_id not in MODEL_NAMES:
            raise CgcError(
                f"{records.place()} has the camera model number {model_id}, which is unknown; "
                "the file is damaged or of a newer COLMAP, export the model again."
            )
        model = MODEL_NAMES[model_id]
        params = records.take(struct.Struct(f"<{len(CAMERA_MODELS[model].parameters)}d"))
        if camera_id in cameras:
            raise CgcError(
                f"{records.place()} has the id {camera_id} of another camera; "
                "export the model again."
            )
        cameras[camera_id] = checked_camera(records.place(), model, width, height, params)
    return cameras


def read_images(path: Path, encoding: str = "utf-8") -> list[ColmapImage]:
    """Read `images.bin`; 2D points are passed over.

    Args:
        path: of the file.
        encoding: of the names.

    Returns:
        The images in the order of the file.

    Raises:
        NotUnicodeError: a name is in another encoding.
        CgcError: the file is damaged or an image impossible.
        OSError: the file cannot be read.
    """
    records = _Records(path, "image", _IMAGE.size + 1 + _COUNT.size)
    images: list[ColmapImage] = []
    while records.advance():
        _, *pose, camera_id = records.take(_IMAGE)
        name = records.take_name(encoding)
        (point_count,) = records.take(_COUNT)
        records.skip(point_count * _POINT_2D_SIZE)
        images.append(checked_image(records.place(), name, camera_id, pose[:4], pose[4:]))
    return images


def count_images(path: Path) -> int:
    """Return how many images `images.bin` has, without reading them.

    Raises:
        CgcError: the file is damaged.
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(_COUNT.size)
    if len(head) < _COUNT.size:
        raise CgcError(f"{path} is damaged: it ends within the count; export the model again.")
    return _COUNT.unpack(head)[0]


def read_points(path: Path) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
    """Read `points3D.bin`; tracks are passed over.

    Returns:
        Positions (P, 3), scene units, as stored; and colours (P, 3) sRGB.

    Raises:
        CgcError: the file is damaged.
        OSError: the file cannot be read.
    """
    records = _Records(path, "point", _POINT.size + _COUNT.size)
    points = np.empty((records.count, 3), dtype=np.float64)
    colors = np.empty((records.count, 3), dtype=np.uint8)
    while records.advance():
        _, *values, _ = records.take(_POINT)
        (track_length,) = records.take(_COUNT)
        records.skip(track_length * _TRACK_ELEMENT_SIZE)
        points[records.record - 1] = values[:3]
        colors[records.record - 1] = values[3:]
    return points, colors
