# SPDX-License-Identifier: GPL-3.0-or-later
"""What the readers of other programs' masks have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...dataset.folder import DatasetFolder
from ...dataset.image_files import is_shown_turned, read_header
from ...dataset.label_maps import LARGEST_ID
from ...dataset.names import PHOTO_ENDINGS, check_stems_differ, stem_of
from ...dataset.photo_files import find_photos
from ...dataset.resize import fitted_size, nearest, same_shape
from ...dataset.solved import has_cameras, read_solved
from ...errors import CgcError
from ..label_map import flatten

STACK_BYTES = 1 << 30
"""Most memory for the masks of one photo; more masks than fit are made smaller."""


@dataclass(frozen=True)
class Photo:
    """A photo that may get a label map."""

    path: Path
    name: str
    """Below the folder of photos, with forward slashes."""
    size: tuple[int, int]
    """Width and height as its camera has them, as stored where it has no camera, px."""
    may_be_turned: bool
    """Whether it has no camera yet, which would tell if it lies on its side."""

    @property
    def stem(self) -> str:
        """The name that its label map has, without ending."""
        return stem_of(self.name)

    def check_shape(self, size: tuple[int, int], place: str) -> None:
        """Check that masks of a size (width, height) can be this photo's.

        Raises:
            CgcError: they are of another shape.
        """
        if same_shape(size, self.size):
            return
        turned = (self.size[1], self.size[0])
        if self.may_be_turned and same_shape(size, turned) and is_shown_turned(self.path):
            return
        raise CgcError(
            f"{place} is {size[0]}×{size[1]} px, but its photo {self.path} is "
            f"{self.size[0]}×{self.size[1]}; masks may be smaller or larger than their photo but "
            "must have its shape, make them again from this photo."
        )


@dataclass(frozen=True)
class ForeignMap:
    """The masks of one photo, not read yet."""

    photo: Photo
    place: str
    """File and position, how an error begins."""
    read: Callable[[], NDArray[np.uint16]]
    """Gives the label map (H, W), 0 = unlabelled."""
    size: tuple[int, int] | None = None
    """Width and height where they are known beforehand, px."""


@dataclass(frozen=True)
class Findings:
    """What a folder of another program holds."""

    kind: str
    """In words: "label maps"."""
    how: str
    """In words that go on after "matched": "by name"."""
    maps: tuple[ForeignMap, ...]
    strangers: tuple[str, ...]
    """Files, or names in a file, that belong to no photo."""


def photos_of(dataset: Path) -> tuple[Photo, ...]:
    """Return the photos of a dataset in name order: those with cameras, or all without cameras.

    Label maps that the dataset has are not looked at: they may be what is to be mended.

    Raises:
        CgcError: there are none, one is damaged, or two would share a label map.
    """
    if has_cameras(dataset):
        solved = read_solved(dataset)
        images, cameras = solved.model.images, solved.model.cameras
        found = find_photos(solved.photos, images, cameras, count_others=False)
        return tuple(
            Photo(file.photo, image.name, (file.camera.width, file.camera.height), False)
            for image, file in zip(found.images, found.files, strict=True)
        )
    folder = DatasetFolder(dataset).images
    paths = [
        path
        for path in sorted(folder.rglob("*"))
        if path.suffix.lower() in PHOTO_ENDINGS and not is_hidden(path, folder) and path.is_file()
    ]
    if not paths:
        raise CgcError(f"{folder} holds no photos; name a dataset folder, with its photos there.")
    names = [path.relative_to(folder).as_posix() for path in paths]
    check_stems_differ(str(folder), names)
    photos = []
    for path, name in zip(paths, names, strict=True):
        header = read_header(path)
        photos.append(Photo(path, name, (header.width, header.height), True))
    return tuple(photos)


def is_hidden(path: Path, folder: Path) -> bool:
    """Say whether a path below a folder is one that programs keep for themselves."""
    return any(part.startswith((".", "__MACOSX")) for part in path.relative_to(folder).parts)


def label_map_of_ids(ids: NDArray, place: str) -> NDArray[np.uint16]:
    """Return ids of any integer type as a label map.

    Where there are negative ids, they mean unlabelled and 0 is an object. Ids that 16 bits cannot
    hold are numbered anew, in order.

    Args:
        ids: (H, W).
        place: how the error begins.

    Raises:
        CgcError: there are more ids than 16 bits can hold.
    """
    if ids.size == 0:
        raise CgcError(f"{place} is empty; make it again.")
    if ids.dtype == np.bool_:
        return ids.astype(np.uint16)
    background = 0
    if ids.min() < 0:
        background = -1
        ids = np.maximum(ids.astype(np.int64), background)
    if int(ids.max()) - background <= LARGEST_ID:
        return (ids.astype(np.int64) - background).astype(np.uint16)
    found, places = np.unique(ids, return_inverse=True)
    first = 0 if found[0] == background else 1
    if len(found) + first > LARGEST_ID + 1:
        raise CgcError(
            f"{place} has {len(found):,} different ids, more than the {LARGEST_ID:,} that a label "
            "map can hold; it is none, or has noise in it."
        )
    return (places.reshape(ids.shape) + first).astype(np.uint16)


def label_map_of_masks(
    masks: Iterable[NDArray[np.bool_]], count: int, size: tuple[int, int], place: str
) -> NDArray[np.uint16]:
    """Return masks that may overlap as one label map: small ones lie on top of large ones.

    Args:
        masks: (H, W) each, all of one size.
        count: of masks, at most.
        size: their width and height, px.
        place: how the error begins.

    Raises:
        CgcError: there are more masks than ids.
    """
    if count > LARGEST_ID:
        raise CgcError(f"{place} has {count:,} masks, more than the {LARGEST_ID:,} ids there are.")
    width, height = size
    if count * width * height > STACK_BYTES:
        scale = (STACK_BYTES / (count * width * height)) ** 0.5
        width, height = fitted_size(size, max(1, int(max(size) * scale)))
    stack = np.zeros((count, height, width), bool)
    for index, mask in enumerate(masks):
        stack[index] = nearest(mask, (width, height))
    return flatten(stack[stack.any(axis=(1, 2))])


def natural_words(things: Sequence[str], limit: int = 3) -> str:
    """Return the first few of a list as words: "a, b, c and 4 more"."""
    shown = ", ".join(things[:limit])
    return shown if len(things) <= limit else f"{shown} and {len(things) - limit} more"
