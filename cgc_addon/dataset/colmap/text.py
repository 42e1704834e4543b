# SPDX-License-Identifier: GPL-3.0-or-later
"""The text files of a COLMAP model: a line for each record, `#` before comments."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...errors import CgcError
from ..names import NotUnicodeError
from .camera_models import CAMERA_MODELS
from .records import ColmapCamera, ColmapImage, checked_camera, checked_image

_UNIT_TOLERANCE = 1e-3
"""Quaternions are written with all their digits; coordinates of points rarely come so close."""


def read_cameras(path: Path) -> dict[int, ColmapCamera]:
    """Read `cameras.txt`.

    Returns:
        The cameras by id.

    Raises:
        CgcError: the file is damaged or a camera impossible.
        OSError: the file cannot be read.
    """
    cameras: dict[int, ColmapCamera] = {}
    for number, line in _records(path):
        place = f"{path}, line {number}"
        words = line.split()
        try:
            camera_id, model = int(words[0]), words[1]
            width, height = int(words[2]), int(words[3])
            params = [float(word) for word in words[4:]]
        except (ValueError, IndexError):
            raise _damaged(place, "CAMERA_ID MODEL WIDTH HEIGHT PARAMETERS", line) from None
        if model not in CAMERA_MODELS:
            raise CgcError(
                f"{place} has the camera model {model[:40]!r}, which is unknown; "
                "the file is damaged or of a newer COLMAP, export the model again."
            )
        expected = len(CAMERA_MODELS[model].parameters)
        if len(params) != expected:
            raise CgcError(
                f"{place} has {len(params)} parameters, but {model} has {expected}; "
                "the file is damaged, export the model again."
            )
        if camera_id in cameras:
            raise CgcError(
                f"{place} has the id {camera_id} of another camera; export the model again."
            )
        cameras[camera_id] = checked_camera(place, model, width, height, params)
    return cameras


def read_images(
    path: Path, encoding: str = "utf-8", *, errors: str = "strict"
) -> list[ColmapImage]:
    """Read `images.txt`; 2D points are passed over.

    COLMAP has a line of 2D points behind each image, which may be empty; other programs leave these
    lines away. Both forms are read, also mixed.

    Args:
        path: of the file.
        encoding: of the names.
        errors: what to do with names that are in another, as `open` takes it.

    Returns:
        The images in the order of the file.

    Raises:
        NotUnicodeError: a name is in another encoding.
        CgcError: the file is damaged or an image impossible, or it cannot be told whether a line
            is one of points.
        OSError: the file cannot be read.
    """
    images: list[ColmapImage] = []
    points_may_follow = False
    for number, line in _lines(path, encoding, errors):
        if not line.strip():
            points_may_follow = False  # the empty line is that of the points
            continue
        if not _is_record(line):
            continue
        place = f"{path}, line {number}"
        record = _image_record(line)
        if points_may_follow and _is_points(line):
            if record is not None and _has_unit_length(record.pose[:4]):
                raise CgcError(
                    f"{place} may be an image called {record.name[:40]!r} or the 2D points of the "
                    "one before; give photos names with an ending, or export the model as .bin."
                )
            points_may_follow = False
            continue
        if record is None:
            expected = "IMAGE_ID QW QX QY QZ TX TY TZ CAMERA_ID NAME"
            if points_may_follow:
                expected = f"X Y POINT3D_ID triples or {expected}"
            raise _damaged(place, expected, line)
        quaternion, translation = record.pose[:4], record.pose[4:]
        images.append(checked_image(place, record.name, record.camera_id, quaternion, translation))
        points_may_follow = True
    return images


@dataclass(frozen=True)
class _ImageRecord:
    pose: tuple[float, ...]
    """Quaternion wxyz, then translation."""
    camera_id: int
    name: str


def _image_record(line: str) -> _ImageRecord | None:
    """Return what the line of an image says, None if it is none."""
    words = line.split(maxsplit=9)
    try:
        int(words[0])
        pose = tuple(float(word) for word in words[1:8])
        return _ImageRecord(pose, int(words[8]), words[9].rstrip())
    except (ValueError, IndexError):
        return None


def _is_points(line: str) -> bool:
    """Say whether a line is one of 2D points: triples of X, Y and an integer."""
    words = line.split()
    # Lines of points are long: the first and the last ones tell them from names with blanks.
    some = [*words[:12], *words[-3:]]
    try:
        for word in some:
            float(word)
        for word in some[2::3]:
            int(word)
    except ValueError:
        return False
    return len(words) % 3 == 0


def _has_unit_length(quaternion: Sequence[float]) -> bool:
    return abs(math.hypot(*quaternion) - 1.0) < _UNIT_TOLERANCE


def count_images(path: Path) -> int:
    """Return how many images `images.txt` has.

    Raises:
        CgcError: the file is damaged.
        OSError: the file cannot be read.
    """
    return len(read_images(path, errors="replace"))


def read_points(path: Path) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
    """Read `points3D.txt`; tracks are passed over.

    Returns:
        Positions (P, 3), scene units, as stored; and colours (P, 3) sRGB.

    Raises:
        CgcError: the file is damaged.
        OSError: the file cannot be read.
    """
    points: list[tuple[float, ...]] = []
    colors: list[tuple[int, ...]] = []
    for number, line in _records(path):
        words = line.split()
        try:
            int(words[0])
            position = (float(words[1]), float(words[2]), float(words[3]))
            color = (int(words[4]), int(words[5]), int(words[6]))
            float(words[7])
        except (ValueError, IndexError):
            raise _damaged(f"{path}, line {number}", "POINT3D_ID X Y Z R G B ERROR", line) from None
        if not all(0 <= channel <= 255 for channel in color):
            raise _damaged(f"{path}, line {number}", "R G B between 0 and 255", line)
        points.append(position)
        colors.append(color)
    return (
        np.array(points, dtype=np.float64).reshape(-1, 3),
        np.array(colors, dtype=np.uint8).reshape(-1, 3),
    )


def _lines(
    path: Path, encoding: str = "utf-8", errors: str = "strict"
) -> Iterator[tuple[int, str]]:
    """Yield every line with its number from 1; a byte order mark and CRLF are no trouble."""
    encoding = "utf-8-sig" if encoding == "utf-8" else encoding
    with path.open(encoding=encoding, errors=errors) as file:
        number = 0
        try:
            for number, line in enumerate(file, start=1):
                yield number, line
        except UnicodeDecodeError:
            raise NotUnicodeError(
                f"{path} is not UTF-8 text after line {number}; copy or export the model again."
            ) from None


def _records(path: Path) -> Iterator[tuple[int, str]]:
    return ((number, line) for number, line in _lines(path) if _is_record(line))


def _is_record(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _damaged(place: str, expected: str, line: str) -> CgcError:
    return CgcError(
        f"{place} should be {expected}, but is {line.strip()[:60]!r}; "
        "the file is damaged, copy or export the model again."
    )
