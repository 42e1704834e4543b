# SPDX-License-Identifier: GPL-3.0-or-later
"""Photos are found under the names that models give them, and under those that disks made of these.

Models say `.jpg` where the disk has `.JPG`, ä as one character where macOS stored it as two, and a
path from another machine, or from above the folder of photos. The standard library alone.
"""

from __future__ import annotations

import itertools
import os
import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path, PurePosixPath

from .colmap.records import ColmapImage
from .folder import NO_PHOTOS
from .names import PHOTO_ENDINGS, check_stems_differ, stem_of


class FileNames:
    """The files below a folder, found by name; the folder is searched when that is first needed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def find(self, name: str) -> str | None:
        """Return the name of a file on disk: exactly `name`, else the only one alike.

        Args:
            name: path below the folder, with forward slashes.
        """
        return name if (self.folder / name).is_file() else self.find_alike(name)

    def find_alike(self, name: str) -> str | None:
        """Return the only file whose name is the same up to case and form of Unicode."""
        alike = self._by_likeness.get(likeness(name), [])
        return alike[0] if len(alike) == 1 else None

    def find_likely(self, name: str) -> str | None:
        """Return a photo that is probably meant: in another folder, or with another ending.

        What lies where datasets have label maps, which are named like photos, is none.
        """
        photos = [
            path
            for found in self._by_likeness.values()
            for path in map(PurePosixPath, found)
            if path.suffix.lower() in PHOTO_ENDINGS and path.parts[0] not in NO_PHOTOS
        ]
        wanted = likeness(PurePosixPath(name).name)
        whole = (path for path in photos if likeness(path.name) == wanted)
        by_stem = (path for path in photos if likeness(path.stem) == stem_of(wanted))
        likely = next(whole, None) or next(by_stem, None)
        return None if likely is None else likely.as_posix()

    @cached_property
    def _by_likeness(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for above, folders, names in os.walk(self.folder):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            inside = Path(above).relative_to(self.folder)
            for name in sorted(names):
                if not name.startswith("."):
                    path = (inside / name).as_posix()
                    found.setdefault(likeness(path), []).append(path)
        return found


def likeness(name: str) -> str:
    r"""Return what is the same for names that differ in case and form of Unicode only.

    Example:
        >>> likeness("E\u0301te\u0301.JPG") == likeness("\u00c9t\u00e9.jpg")
        True
    """
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def named_as_on_disk(
    file: str, folder: Path, images: Sequence[ColmapImage]
) -> tuple[ColmapImage, ...]:
    """Return images with the names that their photos have on disk, in the order of these names.

    Folders that all names begin with are left away where photos are found without them. Images
    whose photo is not found stay, with their own names.

    Args:
        file: that the images are from, how an error begins.
        folder: the photos'.
        images: of a model.

    Raises:
        CgcError: two images have the same photo.
    """
    if all((folder / image.name).is_file() for image in images) or not folder.is_dir():
        return tuple(images)
    files = FileNames(folder)
    best: list[str | None] = []
    most, cut = -1, 0
    for start in range(_shared_folders([image.name for image in images]) + 1):
        found = [files.find(_without(image.name, start)) for image in images]
        if (count := sum(name is not None for name in found)) > most:
            best, most, cut = found, count, start
    if most == 0:
        return tuple(images)
    renamed = [
        replace(image, name=name or _without(image.name, cut))
        for image, name in zip(images, best, strict=True)
    ]
    check_stems_differ(file, (image.name for image in renamed))
    return tuple(sorted(renamed, key=lambda image: image.name))


def _shared_folders(names: Sequence[str]) -> int:
    """Return how many folders all names begin with."""
    folders = [PurePosixPath(name).parts[:-1] for name in names]
    same = (len(set(level)) == 1 for level in zip(*folders, strict=False))
    return sum(itertools.takewhile(bool, same))


def _without(name: str, count: int) -> str:
    """Return a name without its first `count` folders."""
    return "/".join(PurePosixPath(name).parts[count:])
