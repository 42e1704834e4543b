# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person may want to be different about the objects of a run: the standard library alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Place:
    """A pixel that a person pointed at."""

    x: float
    y: float
    """Pixels from the upper left corner of the view, as `render` draws it."""
    view: str
    """Name of a photo, with or without ending."""

    def __str__(self) -> str:
        """Say it."""
        return f"{self.x:g},{self.y:g} of {self.view}"


@dataclass(frozen=True)
class Join:
    """Two objects are one."""

    first: int
    second: int


@dataclass(frozen=True)
class Split:
    """What is at a place is an object of its own."""

    identifier: int
    place: Place


@dataclass(frozen=True)
class Add:
    """What is at a place is an object, whatever was found there."""

    place: Place
    further: tuple[Place, ...] = ()
    """Places that are of it, too."""
    beside: tuple[Place, ...] = ()
    """Places that are not of it."""
    name: str | None = None


@dataclass(frozen=True)
class AddBoxes:
    """What is in the boxes of a file are objects."""

    file: Path


Change = Join | Split | Add | AddBoxes
