# SPDX-License-Identifier: GPL-3.0-or-later
"""File names made of names that people gave: allowed on every system, no two of them alike."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

_FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f]')
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?", re.IGNORECASE)
"""Windows takes these for devices, whatever follows a dot."""
LONGEST = 120
"""Bytes; with a number and an ending a name stays far below what any system allows."""


def file_names(names: Iterable[str], nameless: str) -> list[str]:
    """Return a file name, without ending, for each name, in their order.

    Two that differ in case or accents' encoding only get numbers, as many disks take them for one.

    Args:
        names: any text.
        nameless: stands for a name of which nothing is left.
    """
    taken: set[str] = set()
    result = []
    for name in names:
        plain = _plain(name) or nameless
        candidate, number = plain, 2
        while candidate.casefold() in taken:
            candidate = f"{plain} {number}"
            number += 1
        taken.add(candidate.casefold())
        result.append(candidate)
    return result


def _plain(name: str) -> str:
    """Return what every file system takes: no path, no device, no dot or space at the ends."""
    text = _FORBIDDEN.sub("_", unicodedata.normalize("NFC", name))
    text = "".join(character for character in text if character.isprintable())
    cut = text.encode("utf-8")[:LONGEST].decode("utf-8", "ignore").strip(" .")
    return f"_{cut}" if _RESERVED.fullmatch(cut) else cut
