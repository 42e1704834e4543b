# SPDX-License-Identifier: GPL-3.0-or-later
"""Boxes and points that a detector of the user's own found in photos: a JSON file."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import CgcError
from ..files import read_json

FORMAT_VERSION = 1
LONGEST_NAME = 200
"""Characters."""


@dataclass(frozen=True)
class ShownThing:
    """A thing in one photo, in pixels of that photo as it is on disk."""

    photo: str
    box: tuple[float, float, float, float] | None
    """Left, top, right, bottom."""
    points: tuple[tuple[float, float], ...]
    positive: tuple[bool, ...]
    """Whether each point is on the thing, or beside it."""


@dataclass(frozen=True)
class NamedThing:
    """A thing and where it was found."""

    name: str
    shown: tuple[ShownThing, ...]


def read_boxes(path: Path) -> tuple[NamedThing, ...]:
    """Read a file of boxes.

    Raises:
        CgcError: it is missing, or not of this form; the sentence says where.
    """
    content = read_json(path)
    objects = content.get("objects") if isinstance(content, dict) else None
    if not isinstance(objects, dict) or content.get("version") != FORMAT_VERSION:
        raise CgcError(
            f'{path} is no file of boxes: it needs "version": {FORMAT_VERSION} and "objects", '
            "names with a list of what was found of each."
        )
    if not objects:
        raise CgcError(f"{path} names no objects; there is nothing to look for.")
    return tuple(_thing(path, name, shown) for name, shown in objects.items())


def _thing(path: Path, name: str, entries: Any) -> NamedThing:
    if not 0 < len(name.strip()) <= LONGEST_NAME:
        raise CgcError(f"{path}: a name is empty, or longer than {LONGEST_NAME} characters.")
    place = f"{path}, {name}"
    if not isinstance(entries, list) or not entries:
        raise CgcError(f"{place}: there is no list of what was found of it.")
    shown = tuple(_shown(place, number, one) for number, one in enumerate(entries, start=1))
    photos = [one.photo for one in shown]
    if len(set(photos)) < len(photos):
        raise CgcError(f"{place}: a photo comes twice; give each object of it a name of its own.")
    return NamedThing(name.strip(), shown)


def _shown(place: str, number: int, entry: Any) -> ShownThing:
    place = f"{place}, entry {number}"
    if not isinstance(entry, dict) or not isinstance(entry.get("photo"), str):
        raise CgcError(f'{place}: "photo" is missing, the name of the photo.')
    box, points, beside = (entry.get(key) for key in ("box", "points", "beside"))
    if box is not None:
        if not _are_numbers(box, 4) or not (box[0] < box[2] and box[1] < box[3]):
            raise CgcError(
                f'{place}: "box" is not four numbers, left, top, right and bottom in pixels.'
            )
        box = (float(box[0]), float(box[1]), float(box[2]), float(box[3]))
    lists = []
    for key, value in (("points", points), ("beside", beside)):
        given = [] if value is None else value
        if not isinstance(given, list) or not all(_are_numbers(one, 2) for one in given):
            raise CgcError(f'{place}: "{key}" is not a list of places, [x, y] in pixels.')
        lists.append([(float(x), float(y)) for x, y in given])
    on, off = lists
    if box is None and not on:
        raise CgcError(f'{place}: it has neither "box" nor "points".')
    positive = (True,) * len(on) + (False,) * len(off)
    return ShownThing(entry["photo"], box, (*on, *off), positive)


def _are_numbers(value: Any, count: int) -> bool:
    return (
        isinstance(value, list)
        and len(value) == count
        and all(
            isinstance(one, int | float) and not isinstance(one, bool) and abs(one) < 1e9
            and math.isfinite(one)
            for one in value
        )
    )  # fmt: skip
