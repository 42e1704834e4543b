# SPDX-License-Identifier: GPL-3.0-or-later
"""The cameras of a dataset, whichever program solved them: a COLMAP model or a transforms.json.

Where both are, the COLMAP model is read. NumPy alone: Blender reads them, too.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import CgcError
from .colmap.model import ColmapModel, read_images, read_model
from .colmap.places import (
    DISTORTED,
    ENDINGS,
    MODEL_FILES,
    dataset_above,
    describe_choice,
    ending_of_model,
    find_model,
    find_whole_model,
    model_places,
)
from .folder import IMAGES, INPUT, NO_PHOTOS, DatasetFolder
from .names import NotUnicodeError
from .near_origin import describe_origin, origin_of_images, relative_images
from .photo_names import named_as_on_disk
from .transforms.document import find_transforms, read_transforms
from .transforms.frame_by_colors import SmallPhoto

_CODE_PAGES = (
    *("cp932", "cp936", "cp949", "cp950", "cp1252", "cp1250", "cp1251", "cp1253", "cp1254"),
    *("cp1255", "cp1256", "cp1257", "cp1258", "cp874"),
)
"""Encodings of programs on Windows, which wrote names so before they came to write UTF-8."""


@dataclass(frozen=True, eq=False)
class Solved:
    """Cameras, poses and points of a dataset."""

    place: Path
    """Folder of the COLMAP model, or the transforms.json: how sentences name them."""
    photos: Path
    """Folder that the names of images are paths below."""
    model: ColmapModel
    """Relative to `origin`."""
    origin: NDArray[np.float64]
    """(3,) in the frame of the file, scene units: 0 0 0, unless places are far from there."""


def has_cameras(folder: Path) -> bool:
    """Say whether a folder holds cameras that `read_solved` would read, sound or not."""
    places = (*model_places(folder), *model_places(folder, further=True))
    files = [name + ending for name in MODEL_FILES for ending in ENDINGS]
    found = any((place / file).is_file() for place in places for file in files)
    return found or find_transforms(folder) is not None


def find_solved(folder: Path) -> Path:
    """Return where the cameras of a dataset are: the folder of its model, or its transforms.json.

    A transforms.json goes before the models that nerfstudio and 3DGS keep for themselves.

    Raises:
        CgcError: there is no such folder, or neither is in it.
    """
    return find_whole_model(folder) or find_transforms(folder) or find_model(folder)


def dataset_of_model(place: Path) -> Path:
    """Return the dataset that reads its cameras from the folder `place`, else `place` itself."""
    above = dataset_above(place)
    if above is None:
        return place
    numbered_whole = place.name.isdecimal() and ending_of_model(place) is not None
    return place if numbered_whole and find_solved(above) != place else above


def dataset_at(place: Path) -> Path:
    """Return the dataset that a folder means: itself, or the one whose cameras or photos are in it.

    Example:
        >>> dataset_at(Path("desk/sparse/0")).as_posix()
        'desk'
        >>> dataset_at(Path("desk")).as_posix()
        'desk'
    """
    if DatasetFolder(place).photos_folder() is not None:  # one that is called `sparse` itself
        return place
    if place.name.casefold() in (IMAGES, INPUT, *NO_PHOTOS) and not has_cameras(place):
        return place.parent if has_cameras(place.parent) else place
    return dataset_of_model(place)


def read_solved(
    folder: Path,
    origin: NDArray[np.float64] | None = None,
    small_photo: SmallPhoto | None = None,
) -> Solved:
    """Read cameras, poses and points of a dataset.

    Args:
        folder: of the dataset.
        origin: (3,) what places are made relative to, in the frame of the files, scene units; None
            chooses.
        small_photo: see `read_transforms`; Blender's Python has nothing that decodes photos.

    Raises:
        CgcError: there are none, or they cannot be used.
    """
    place = find_solved(folder)
    if place.is_file():
        transforms = read_transforms(place, small_photo=small_photo)
        return _near_origin(place, transforms.photos, transforms.model, origin)
    photos = _photos_of_model(folder, place)
    try:
        model = read_model(place)
    except NotUnicodeError:
        model = read_model(place, _encoding(place, photos))
    images = named_as_on_disk(str(place), photos, model.images)
    model = replace(model, images=images)
    if (choice := describe_choice(folder, place)) is not None:
        model = replace(model, warnings=(choice, *model.warnings))
    return _near_origin(place, photos, model, origin)


def photos_folder(folder: Path) -> Path:
    """Return the folder of a dataset's photos, which need not exist.

    Raises:
        CgcError: there are no cameras, or they cannot be used.
    """
    place = find_solved(folder)
    if place.is_file():
        return read_transforms(place, points=False).photos
    return _photos_of_model(folder, place)


def labels_home(folder: Path) -> Path:
    """Return the folder whose label maps are a dataset's: its own, or that of the dataset above.

    A model that was chosen by itself has the photos above it, and their label maps.
    """
    if DatasetFolder(folder).label_folder() is not None:
        return folder
    above = dataset_above(folder)
    if above is None or DatasetFolder(above).label_folder() is None:
        return folder
    return above


def _near_origin(
    place: Path, photos: Path, model: ColmapModel, origin: NDArray[np.float64] | None
) -> Solved:
    """Return what was read so that 32-bit numbers can hold it."""
    if origin is None:
        origin = origin_of_images(model.images)
    if origin.any():
        model = replace(
            model,
            images=relative_images(model.images, origin),
            points=model.points - origin,
            warnings=(*model.warnings, describe_origin(place, origin)),
        )
    return Solved(place, photos, model, origin)


def _encoding(place: Path, photos: Path) -> str:
    """Return the encoding of names that are not UTF-8, told by the photos on disk.

    Raises:
        CgcError: in none do they name photos that are there.
    """
    found = {encoding: _count_found(place, photos, encoding) for encoding in _CODE_PAGES}
    best = max(found, key=lambda encoding: found[encoding])
    if not found[best]:
        raise CgcError(
            f"{place}: names of photos are not UTF-8, and in no code page of Windows do they name "
            f"photos in {photos}; give the photos names of plain letters and solve them again."
        )
    return best


def _count_found(place: Path, photos: Path, encoding: str) -> int:
    """Return how many photos of a model are there if its names are in `encoding`."""
    try:
        images = named_as_on_disk(str(place), photos, read_images(place, encoding))
    except (CgcError, OSError):
        return 0
    return sum((photos / image.name).is_file() for image in images)


def _photos_of_model(folder: Path, place: Path) -> Path:
    """Return where a model's photos are: in `images/`, else in `input/`, of the dataset or above.

    The script of 3DGS keeps the photos in `input/`, and puts undistorted copies into `images/`.
    """
    distorted = place.parent.parent.name == DISTORTED and place != folder
    names = (INPUT, IMAGES) if distorted else (IMAGES, INPUT)
    homes = [home for home in (folder, dataset_above(folder)) if home is not None]
    found = (DatasetFolder(home).photos_folder(names) for home in homes)
    return next((path for path in found if path is not None), folder / IMAGES)
