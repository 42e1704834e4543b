# SPDX-License-Identifier: GPL-3.0-or-later
"""Which photo a file of another program belongs to, told by its name.

Names are paths below a folder, without ending, with forward slashes. Each rule is tried on all
names, and the one that places most of them is taken; a file is never placed by one rule and its
neighbour by another.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

_TRIED = 20
"""Names from which additions to the photos' names are learned."""


@dataclass(frozen=True)
class Placement:
    """Names and the photos that they belong to."""

    names: Mapping[str, str]
    """The name that belongs to a photo, by the photo's stem."""
    how: str
    """In words that go on after "matched": "by name"."""
    doubt: str = ""
    """Why it may be the wrong one, how a sentence ends; empty where it is not."""


def place_by_name(names: Sequence[str], photos: Sequence[str]) -> Placement:
    """Place names that hold the photos' own; it may place none.

    Photos' names are found as they are, with the photo's ending ("0001.jpg.png"), with the same
    additions to all ("masks/0001_mask"), or without the folders.

    Args:
        names: without ending.
        photos: the photos' names below their folder, with ending.
    """
    stems = _stems(photos)
    bases = _unique((PurePosixPath(stem).name, stem) for stem in dict.fromkeys(stems.values()))
    short_names = _unique((PurePosixPath(name).name.casefold(), name) for name in names)
    short_stems = {base.casefold(): stem for base, stem in bases.items()}
    in_folders, more_in_folders, _ = _with_additions(list(short_names), short_stems)
    added, additions, doubt = _with_additions(names, stems)
    found = [
        (_as_they_are(names, stems), "by name", ""),
        (added, f"by name but for {_in_words(additions)}", doubt),
        (
            {short_names[short]: stem for short, stem in in_folders.items()},
            "by name without folders"
            + (f" and but for {_in_words(more_in_folders)}" if any(more_in_folders) else ""),
            "",
        ),
    ]
    best, how, doubt = max(found, key=lambda entry: len(entry[0]))  # the first of equals
    matched: dict[str, str] = {}
    for name, stem in best.items():
        if stem in matched:
            doubt = f"holds two sets of masks, as {matched[stem]} and {name} of the photo {stem}"
        matched[stem] = name
    return Placement(matched, how, doubt)


def place_by_number(names: Sequence[str], photos: Sequence[str]) -> Placement | None:
    """Place names by the last number in them, else by their order; None where neither fits.

    Numbers count only if every name has one of its own that a photo has too; the order only if
    there are as many names as photos.
    """
    stems = sorted(set(_stems(photos).values()), key=_natural)
    numbers_of_photos = _unique((_last_number(stem), stem) for stem in stems)
    numbers = _unique((_last_number(name), name) for name in names)
    if len(numbers) == len(names) > 0 and set(numbers) <= set(numbers_of_photos):
        matched = {numbers_of_photos[number]: name for number, name in numbers.items()}
        return Placement(matched, "by the last number in their names")
    if len(names) == len(stems) > 0:
        ordered = sorted(names, key=_natural)
        return Placement(
            dict(zip(stems, ordered, strict=True)), "by their order, since names do not tell"
        )
    return None


def _stems(photos: Iterable[str]) -> dict[str, str]:
    """Return the stem of a photo by its stem and by its name, in lower case."""
    found = {}
    for photo in photos:
        stem = PurePosixPath(photo).with_suffix("").as_posix()
        found[stem.casefold()] = stem
        found.setdefault(photo.casefold(), stem)
    return found


def _as_they_are(names: Iterable[str], stems: Mapping[str, str]) -> dict[str, str]:
    return {name: stems[name.casefold()] for name in names if name.casefold() in stems}


def _with_additions(
    names: Sequence[str], stems: Mapping[str, str]
) -> tuple[dict[str, str], tuple[str, str], str]:
    """Return the stem of each name, what the names have before and after it, and the doubt."""
    best: dict[str, str] = {}
    additions, doubt = ("", ""), ""
    for before, after in sorted(_possible_additions(names, stems), key=_length):
        placed = {}
        for name in names:
            whole = name.casefold()
            if whole.startswith(before) and whole.endswith(after):
                middle = whole[len(before) : len(whole) - len(after)]
                if middle in stems and _stands_apart(before, middle, after):
                    placed[name] = stems[middle]
        if len(placed) > len(best):
            best, additions, doubt = placed, (before, after), ""
        elif len(placed) == len(best) and set(placed.values()) & set(best.values()):
            first, second = next(iter(best)), next(iter(placed))
            if first != second:
                doubt = f"holds several sets of masks, {first} in one and {second} in another"
    return best, additions, doubt


def _possible_additions(names: Sequence[str], stems: Mapping[str, str]) -> set[tuple[str, str]]:
    step = max(1, len(names) // _TRIED)
    possible = set()
    for name in names[::step]:
        whole = name.casefold()
        for stem in stems:
            start = whole.find(stem)
            while start >= 0:
                before, after = whole[:start], whole[start + len(stem) :]
                if _stands_apart(before, stem, after):
                    possible.add((before, after))
                start = whole.find(stem, start + 1)
    return possible


def _stands_apart(before: str, stem: str, after: str) -> bool:
    """Say whether a stem is a part of its own: 1 is none in 11, and cat is none in catalogue."""

    def joined(left: str, right: str) -> bool:
        pair = left[-1:], right[:1]
        return all(map(str.isdigit, pair)) or all(map(str.isalpha, pair))

    return not joined(before, stem) and not joined(stem, after)


def _unique(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return a dictionary without the keys that come twice, or are empty."""
    found: dict[str, str] = {}
    twice = {""}
    for key, value in pairs:
        if key in found:
            twice.add(key)
        found[key] = value
    return {key: value for key, value in found.items() if key not in twice}


def _last_number(name: str) -> str:
    numbers = re.findall(r"\d+", PurePosixPath(name).name)
    return str(int(numbers[-1])) if numbers else ""


def _natural(name: str) -> list[tuple[int, str]]:
    """Return a key that sorts 2 before 10."""
    parts = re.split(r"(\d+)", name.casefold())
    return [(int(part), "") if part.isdigit() else (-1, part) for part in parts]


def _length(additions: tuple[str, str]) -> tuple[int, str]:
    return len(additions[0]) + len(additions[1]), "\0".join(additions)


def _in_words(additions: tuple[str, str]) -> str:
    return " and ".join(repr(addition) for addition in additions if addition)
