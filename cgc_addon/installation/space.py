# SPDX-License-Identifier: GPL-3.0-or-later
"""Room on disks: what an engine takes, what is free, and how that is said."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from ..errors import CgcError

MARGIN = 300_000_000
"""Bytes that are left free, for the system and for what pip unpacks on the way."""


def free_bytes(folder: Path) -> int | None:
    """Return what is free where a folder is or will be; None where that cannot be told."""
    place = folder
    while not place.exists() and place != place.parent:
        place = place.parent
    try:
        return shutil.disk_usage(place).free
    except OSError:
        return None


def check_room(folder: Path, needed: int) -> None:
    """Check that what is to be written has room.

    Args:
        folder: where.
        needed: bytes.

    Raises:
        CgcError: it has not.
    """
    free = free_bytes(folder)
    if free is not None and free < needed + MARGIN:
        raise CgcError(
            f"The engine needs {in_words(needed + MARGIN)} on the disk of {folder} while it is "
            f"installed, and {in_words(free)} are free; free some space, or choose another Engine "
            "Folder in the preferences of this extension."
        )


def folder_bytes(folder: Path) -> int:
    """Return what the files in a folder take, each counted once however often it is linked."""
    total, seen = 0, set[tuple[int, int]]()
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                found = os.lstat(os.path.join(place, name))  # noqa: PTH118 - ten thousands of them
            except OSError:
                continue
            if found.st_nlink > 1:
                if (found.st_dev, found.st_ino) in seen:
                    continue
                seen.add((found.st_dev, found.st_ino))
            total += found.st_size
    return total


def in_words(size: int) -> str:
    """Write bytes as people do: "45 MB", "1.4 GB"."""
    if size >= 999_500_000:
        return f"{size / 1e9:.1f} GB"
    return f"{max(0, round(size / 1e6)):,} MB"
