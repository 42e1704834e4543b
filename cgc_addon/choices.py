# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be chosen by name, with the words that offer it to people.

The standard library alone: the command line and Blender make their lists of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

Name = TypeVar("Name", bound=str)


class Described(Protocol):
    """Anything that can be offered to people: a choice, a preset, a mask model."""

    @property
    def name(self) -> str:
        """On the command line, in files and in Python."""
        ...

    @property
    def label(self) -> str:
        """In a list to choose from."""
        ...

    @property
    def sentence(self) -> str:
        """What it means, without a full stop."""
        ...


@dataclass(frozen=True)
class Choice(Generic[Name]):
    """One of several; `Name` is the Literal of all their names."""

    name: Name
    """On the command line, in files and in Python."""
    label: str
    """In a list to choose from."""
    sentence: str
    """What it means, without a full stop."""


def names(choices: Iterable[Described]) -> tuple[str, ...]:
    """Return the names of choices, in their order."""
    return tuple(choice.name for choice in choices)
