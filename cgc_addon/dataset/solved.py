# SPDX-License-Identifier: GPL-3.0-or-later
"""The cameras of a dataset, whichever program solved them: a COLMAP model or a transforms.json.

Where both are, the COLMAP model is read. NumPy alone: Blender reads them, too.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..errors import CgcError
from .colmap.model import MODEL_FILES, ColmapModel, find_model, read_model
from .folder import DatasetFolder
from .transforms.document import find_transforms, read_transforms


@dataclass(frozen=True, eq=False)
class Solved:
    """Cameras, poses and points of a dataset."""

    place: Path
    """Folder of the COLMAP model, or the transforms.json: how sentences name them."""
    photos: Path
    """Folder that the names of images are paths below."""
    model: ColmapModel


def has_cameras(folder: Path) -> bool:
    """Say whether a folder holds cameras that `read_solved` would read, sound or not."""
    files = (f"{name}{ending}" for name in MODEL_FILES for ending in (".bin", ".txt"))
    places = DatasetFolder(folder).models
    found = any((place / file).is_file() for file in files for place in places)
    return found or find_transforms(folder) is not None


def find_solved(folder: Path) -> Path:
    """Return where the cameras of a dataset are: the folder of its model, or its transforms.json.

    Raises:
        CgcError: there is no such folder, or neither is in it.
    """
    try:
        return find_model(folder)
    except CgcError:
        transforms = find_transforms(folder)
        if transforms is None:
            raise
        return transforms


def read_solved(folder: Path) -> Solved:
    """Read cameras, poses and points of a dataset.

    Raises:
        CgcError: there are none, or they cannot be used.
    """
    place = find_solved(folder)
    if place.is_file():
        transforms = read_transforms(place)
        return Solved(place, transforms.photos, transforms.model)
    return Solved(place, DatasetFolder(folder).images, read_model(place))


def photos_folder(folder: Path) -> Path:
    """Return the folder of a dataset's photos, which need not exist.

    Raises:
        CgcError: there are no cameras, or they cannot be used.
    """
    place = find_solved(folder)
    if place.is_file():
        return read_transforms(place, points=False).photos
    return DatasetFolder(folder).images
