# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of views: paths below a folder, which stay apart when they lose their endings."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath

from ..errors import CgcError

PHOTO_ENDINGS = frozenset({".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp", ".webp"})
"""In lower case, of files that are taken for photos."""
_LONGEST_PART, _LONGEST = 255, 4000
"""Bytes of a name and of a path that Linux and macOS take; Windows takes fewer."""
_DRIVE = re.compile(r"[A-Za-z]:")


class NotUnicodeError(CgcError):
    """A file's names are in the code page of the machine that wrote it."""


def stem_of(name: str) -> str:
    """Return a view's name without its ending: label maps and renders of it are called so.

    Example:
        >>> stem_of("left/0001.jpg")
        'left/0001'
    """
    return PurePosixPath(name).with_suffix("").as_posix()


def checked_name(place: str, name: str) -> str:
    """Return `name` with forward slashes after checking that it leads nowhere else.

    Args:
        place: file and position, how the error begins.
        name: as stored.

    Raises:
        CgcError: the name is empty, absolute, leads out of its folder, is not text, or longer than
            any file's.

    Example:
        >>> checked_name("images.txt, line 5", "./left/0001.jpg")
        'left/0001.jpg'
    """
    path = PurePosixPath(name.replace("\\", "/"))
    leads_out = path.is_absolute() or ".." in path.parts or _DRIVE.match(path.as_posix())
    if not path.name or leads_out or not name.isprintable():
        raise CgcError(
            f"{place} has the name {name[:80]!r}, which is no path below the folder of photos; "
            "the file is damaged or was made for other folders, make it again."
        )
    if len(os.fsencode(path.as_posix())) > _LONGEST or any(
        len(os.fsencode(part)) > _LONGEST_PART for part in path.parts
    ):
        raise CgcError(
            f"{place} has the name {name[:40]!r}… of {len(name):,} letters, longer than a file's "
            "can be; the file is damaged, make it again."
        )
    return path.as_posix()


def name_below(place: str, name: str) -> str:
    r"""Return `name` as a path below some folder, also where it is one of another machine.

    Drive, root and the way up out of a folder are left away; which of the folders before the
    photo's own name count is told by what is on disk.

    Args:
        place: file and position, how the error begins.
        name: as stored.

    Raises:
        CgcError: the name is empty, or is not text.

    Example:
        >>> name_below("images.txt, line 5", "C:\\desk\\images\\0001.jpg")
        'desk/images/0001.jpg'
        >>> name_below("images.txt, line 5", "../images/0001.jpg")
        'images/0001.jpg'
    """
    path = re.sub(r"^[A-Za-z]:/", "/", name.replace("\\", "/"))
    parts = PurePosixPath(posixpath.normpath(path)).parts
    inside = [part for part in parts if part not in ("..", "/", "//")]
    return checked_name(place, "/".join(inside) if name.strip() else name)


def first_of(names: Sequence[str], limit: int = 3) -> str:
    """Return the first few names in words.

    Example:
        >>> first_of(["a", "b"]), first_of(["a", "b", "c", "d"], 2)
        ('a, b', 'a, b and 2 more')
    """
    shown = ", ".join(names[:limit])
    return shown if len(names) <= limit else f"{shown} and {len(names) - limit} more"


def check_stems_differ(file: str, names: Iterable[str]) -> None:
    """Check that no two names are the same without ending and case.

    Args:
        file: the one the names are from, how the error begins.
        names: checked ones.

    Raises:
        CgcError: two names would give their renders the same file.

    Example:
        >>> check_stems_differ("cameras.json", ["a.jpg", "b.jpg"])
        >>> check_stems_differ("cameras.json", ["a.jpg", "A.png"])
        Traceback (most recent call last):
        cgc_addon.errors.CgcError: cameras.json: a.jpg and A.png have the same name ...
    """
    seen: dict[str, str] = {}
    for name in names:
        stem = stem_of(name).casefold()
        if stem in seen:
            raise CgcError(
                f"{file}: {seen[stem]} and {name} have the same name up to case and ending, but "
                "masks and renders are named without; rename one of them there and on disk."
            )
        seen[stem] = name
