# SPDX-License-Identifier: GPL-3.0-or-later
"""What a process keeps from one verb for the next, where it runs several."""

from __future__ import annotations

from typing import TypeVar, cast

_Kind = TypeVar("_Kind")


class Kept:
    """Holds one thing of each kind, made when it is first asked for.

    Example:
        >>> kept = Kept()
        >>> kept.get(list).append("loaded")
        >>> kept.get(list)
        ['loaded']
    """

    def __init__(self) -> None:
        self._things: dict[type, object] = {}

    def get(self, kind: type[_Kind]) -> _Kind:
        """Return the one of a kind; it is made without arguments."""
        if kind not in self._things:
            self._things[kind] = kind()
        return cast("_Kind", self._things[kind])
