# SPDX-License-Identifier: GPL-3.0-or-later
"""Which photos of a dataset want label maps, and whether they are stored on their side."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..dataset.folder import DatasetFolder
from ..dataset.names import PHOTO_ENDINGS, check_stems_differ, stem_of
from ..dataset.photo_files import find_photos
from ..dataset.solved import has_cameras, read_solved
from ..errors import CgcError


@dataclass(frozen=True)
class MaskPhoto:
    """A photo to make a label map of."""

    name: str
    """Path below the images folder, with forward slashes."""
    path: Path
    upright: bool = False
    """Whether it must be turned as EXIF says, to be as its camera saw it."""

    @property
    def stem(self) -> str:
        """The name without its ending: the label map is called so."""
        return stem_of(self.name)


def photos_to_mask(dataset: Path) -> list[MaskPhoto]:
    """Return the photos of a dataset in name order: those with cameras, or all without cameras.

    Raises:
        CgcError: there are no photos, or the cameras cannot be read.
    """
    if has_cameras(dataset):
        solved = read_solved(dataset)
        found = find_photos(solved.photos, solved.model.images, solved.model.cameras)
        return [
            MaskPhoto(image.name, file.photo, file.upright)
            for image, file in zip(found.images, found.files, strict=True)
        ]
    images = DatasetFolder(dataset).images
    if not images.is_dir():
        raise CgcError(f"{images} is missing; name the folder that holds images/.")
    found = [
        MaskPhoto(path.relative_to(images).as_posix(), path)
        for path in sorted(images.rglob("*"))
        if path.suffix.lower() in PHOTO_ENDINGS
        and not any(part.startswith(".") for part in path.relative_to(images).parts)
    ]
    if not found:
        raise CgcError(f"{images} holds no photos; put them there.")
    check_stems_differ(str(images), (photo.name for photo in found))
    return found
