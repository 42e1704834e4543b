# SPDX-License-Identifier: GPL-3.0-or-later
"""Which files are the photos, and what tells them from others."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..dataset.image_files import HEIC_ENDINGS, reads_heic
from ..dataset.names import checked_name, stem_of
from ..errors import CgcError
from .panorama import WHAT_TO_DO

RAW_ENDINGS = frozenset({
    ".dng", ".cr2", ".cr3", ".nef", ".arw", ".raf", ".orf", ".rw2", ".pef", ".srw",
})  # fmt: skip
VIDEO_ENDINGS = frozenset({
    ".mp4", ".mov", ".m4v", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".mts", ".m2ts", ".3gp",
    ".wmv", ".insv",
})  # fmt: skip
_NO_PHOTOS = frozenset({"PDF", "EPS", "MPEG", "HDF5", "GRIB", "BUFR", "WMF", "FITS", "ICNS", "ICO"})
"""Formats that Pillow opens or claims to, but in which no camera writes."""
_ELSEWHERE = {
    ".jxl": "JPEG XL is not read; convert it to JPEG",
    ".insp": WHAT_TO_DO,
}
"""What photos of other kinds are, that are not read here."""
_SAMPLE_BYTES = 1 << 16


@dataclass(frozen=True)
class Source:
    """A file that should be a photo."""

    path: Path
    name: str
    """Its path below the folder of photos, with forward slashes."""


@dataclass(frozen=True)
class Sources:
    """All of a folder."""

    photos: tuple[Source, ...]
    """In name order; no two have the same name up to case and ending."""
    left_out: tuple[tuple[str, str], ...]
    """Name and reason of files that were meant to be photos and cannot be used."""


def find_sources(folder: Path, leave_out: Path | None = None) -> Sources:
    """Find the photos of a folder and its sub-folders.

    Args:
        folder: the photos'.
        leave_out: a folder that is not searched: the dataset, where it lies within.

    Raises:
        CgcError: the folder cannot be read or holds no photos.
    """
    endings = photo_endings()
    try:
        files = sorted(
            (path for path in folder.rglob("*") if _is_candidate(path, folder, leave_out)),
            key=lambda path: path.relative_to(folder).as_posix(),
        )
    except OSError as error:
        raise CgcError(
            f"{error.filename or folder} could not be read: {error.strerror or error}; "
            "check the permissions of that folder."
        ) from error
    photos, left_out, taken = [], [], {}
    kinds = {path.suffix.lower() for path in files}
    for path in files:
        name, ending = path.relative_to(folder).as_posix(), path.suffix.lower()
        if ending in RAW_ENDINGS:
            left_out.append((name, "it is a raw file; develop it to JPEG"))
        elif ending in HEIC_ENDINGS and ending not in endings:
            left_out.append(
                (name, "HEIC needs the package pillow-heif in the engine's Python; or convert it "
                 "to JPEG")
            )  # fmt: skip
        elif ending in _ELSEWHERE and ending not in endings:
            left_out.append((name, _ELSEWHERE[ending]))
        elif ending in endings:
            try:
                stem = stem_of(checked_name(str(folder), name)).casefold()
            except CgcError:
                left_out.append((name, "its name cannot be printed; rename it"))
                continue
            if stem in taken:
                left_out.append((name, f"{taken[stem]} has the same name up to its ending"))
                continue
            taken[stem] = name
            photos.append(Source(path, name))
    if not photos:
        raise CgcError(_nothing(folder, kinds, left_out))
    return Sources(tuple(photos), tuple(left_out))


def photo_endings() -> frozenset[str]:
    """Return the endings, in lower case, of formats that Pillow reads here."""
    from PIL import Image

    reads_heic()
    return frozenset(
        ending
        for ending, kind in Image.registered_extensions().items()
        if kind in Image.OPEN and kind not in _NO_PHOTOS
    )


def fingerprint(sources: Sequence[Source]) -> str:
    """Return what is the same only for the same files, wherever they lie: names, sizes, samples.

    Raises:
        CgcError: a file cannot be read.
    """
    digest = hashlib.sha256()
    for source in sources:
        try:
            size = source.path.stat().st_size
            with source.path.open("rb") as file:
                sample = file.read(_SAMPLE_BYTES)
                file.seek(max(0, size - _SAMPLE_BYTES))
                sample += file.read(_SAMPLE_BYTES)
        except OSError as error:
            raise CgcError(
                f"{source.path} could not be read: {error.strerror or error}; "
                "check its permissions or take it out."
            ) from error
        digest.update(f"{source.name}\0{size}\0".encode("utf-8", "surrogateescape"))
        digest.update(hashlib.sha256(sample).digest())
    return digest.hexdigest()


def natural_key(name: str) -> list[tuple[int, int, str]]:
    """Return what sorts names as people count: photo9 before photo10."""
    return [
        (0, int(part), "") if part.isdigit() and part.isascii() else (1, 0, part)
        for part in re.split(r"(\d+)", name.casefold())
    ]


def _is_candidate(path: Path, folder: Path, leave_out: Path | None) -> bool:
    hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
    if hidden or (leave_out is not None and path.is_relative_to(leave_out)):
        return False
    return path.is_file()


def _nothing(folder: Path, kinds: set[str], left_out: list[tuple[str, str]]) -> str:
    if left_out:
        name, reason = left_out[0]
        return (
            f"{folder} holds no photo that can be read; the first of {len(left_out)} files, "
            f"{name}: {reason}."
        )
    if kinds & VIDEO_ENDINGS:
        return f"{folder} holds videos but no photos; name one video file instead of the folder."
    return f"{folder} holds no photos; name the folder with your photos, or a video file."
