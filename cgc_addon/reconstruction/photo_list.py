# SPDX-License-Identifier: GPL-3.0-or-later
"""The photos that are solved, upright and at working size, and the cameras that took them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..files import read_json, write_json

_MANY = 20
"""Photos of one camera from which all eight numbers of the model OPENCV can be learned."""
_GUESSED_FOCAL = 1.2
"""Of the longest side, where nothing is known; COLMAP's own guess."""


@dataclass(frozen=True)
class WorkingPhoto:
    """A photo that is solved."""

    name: str
    """In the dataset."""
    file: str
    """Below `solve/photos/` and in the database; the same, but without blanks."""
    source: str
    """Name of the user's file, or the moment in the video."""
    width: int
    height: int
    camera: str
    """Photos of equal text, size and focal length were taken by one camera."""
    focal: float | None = None
    """Focal length that EXIF tells, px of this size."""


@dataclass(frozen=True)
class CameraGroup:
    """The camera that took some photos, before anything is solved."""

    model: str
    width: int
    height: int
    focal: float
    """In px; what solving starts from."""
    is_known: bool
    """Whether EXIF tells the focal length."""
    files: tuple[str, ...]


@dataclass(frozen=True)
class PhotoList:
    """All photos that are solved, and those left out before."""

    photos: tuple[WorkingPhoto, ...]
    left_out: tuple[tuple[str, str], ...] = ()
    """Name and reason."""

    def write(self, path: Path) -> None:
        """Write the list as JSON.

        Raises:
            CgcError: it cannot be written.
        """
        write_json(path, asdict(self))

    @staticmethod
    def read(path: Path) -> PhotoList | None:
        """Read a list, None if it is missing or damaged: it is then made again.

        Raises:
            CgcError: the file cannot be read.
        """
        if not path.is_file():
            return None
        try:
            value: Any = read_json(path)
            photos = tuple(WorkingPhoto(**photo) for photo in value["photos"])
            return PhotoList(photos, tuple((name, reason) for name, reason in value["left_out"]))
        except (TypeError, KeyError, ValueError):
            return None


def working_file(name: str) -> str:
    """Return the name of a photo for COLMAP, whose lists of pairs are split at blanks."""
    return re.sub(r"[\s%]", lambda match: f"%{ord(match[0]):02X}", name)


def group_cameras(photos: Sequence[WorkingPhoto]) -> tuple[CameraGroup, ...]:
    """Return one camera for all photos that are alike in size, EXIF camera and focal length.

    Photos without EXIF are alike within a folder: the folders of a rig hold a camera each.
    """
    groups: dict[tuple[Any, ...], list[WorkingPhoto]] = {}
    for photo in photos:
        focal = None if photo.focal is None else round(photo.focal)
        key = (photo.width, photo.height, photo.camera, focal)
        groups.setdefault(key, []).append(photo)
    return tuple(_group(members) for members in groups.values())


def _group(members: Sequence[WorkingPhoto]) -> CameraGroup:
    first = members[0]
    return CameraGroup(
        # Few photos cannot tell fx from fy and four kinds of distortion apart.
        model="OPENCV" if len(members) >= _MANY else "SIMPLE_RADIAL",
        width=first.width,
        height=first.height,
        focal=first.focal or _GUESSED_FOCAL * max(first.width, first.height),
        is_known=first.focal is not None,
        files=tuple(photo.file for photo in members),
    )


def describe_cameras(groups: Iterable[CameraGroup]) -> str:
    """Return a sentence on the cameras."""
    groups = list(groups)
    known = sum(group.is_known for group in groups)
    many = "1 camera" if len(groups) == 1 else f"{len(groups)} cameras (by size and EXIF)"
    if known == len(groups):
        return f"{many}, focal length from EXIF."
    if known:
        return f"{many}; EXIF tells the focal length of {known}, the others are guessed first."
    return f"{many}; the focal length is not in EXIF and is found while solving."
