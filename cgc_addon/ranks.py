# SPDX-License-Identifier: GPL-3.0-or-later
"""Processes that train one scene together, each from photos of its own; most often it is one.

All of them run the same program on the same Gaussians. What they found in their photos is added
up, so that all go on alike; what is read from a run folder or written there is the first one's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, Protocol, TypeVar

from .progress import ShouldStop

if TYPE_CHECKING:
    from torch import Tensor

Item = TypeVar("Item")
_MISSING = object()


class Ranks(Protocol):
    """What a process knows of those it trains with.

    All of them call the same methods in the same order; each call waits for the others.
    """

    @property
    def rank(self) -> int:
        """Which of them this process is, from 0."""
        ...

    @property
    def size(self) -> int:
        """How many they are."""
        ...

    @property
    def local_size(self) -> int:
        """How many of them share this machine."""
        ...

    def sum(self, tensors: Sequence[Tensor], /) -> None:
        """Replace each tensor by its sum over all processes, equal to the bit on each."""
        ...

    def first_does(self, work: Callable[[], Item], /) -> Item:
        """Let the first process do something, for however long, and return its result on all.

        Raises:
            CgcError: it did, on the first one.
            Interrupted: likewise.
        """
        ...

    def gather(self, value: Item, /) -> list[Item]:
        """Return the values of all processes, in their order."""
        ...

    def any(self, flag: bool, /) -> bool:
        """Return whether any process says yes."""
        ...


@dataclass(frozen=True)
class Alone:
    """One process; everything is its own."""

    rank: int = 0
    size: int = 1
    local_size: int = 1

    def sum(self, _tensors: Sequence[Tensor], /) -> None:
        """Leave them: they are sums already."""

    def first_does(self, work: Callable[[], Item], /) -> Item:
        return work()

    def gather(self, value: Item, /) -> list[Item]:
        return [value]

    def any(self, flag: bool, /) -> bool:
        return flag


ALONE = Alone()


def share(items: Sequence[Item], ranks: Ranks) -> Sequence[Item]:
    """Return what of `items` is for this process: every `size`-th.

    Example:
        >>> share("abcde", Alone(rank=1, size=2))
        'bd'
    """
    return items[ranks.rank :: ranks.size]


def in_order(shares: Sequence[Sequence[Item]]) -> list[Item]:
    """Return the items whose shares are given, in their order: undoes `share`.

    Example:
        >>> in_order(["ace", "bd"])
        ['a', 'b', 'c', 'd', 'e']
    """
    rows = zip_longest(*shares, fillvalue=_MISSING)
    return [item for row in rows for item in row if item is not _MISSING]  # type: ignore[misc]


def agreed(should_stop: ShouldStop, ranks: Ranks) -> ShouldStop:
    """Return a question that all processes ask together: whether any of them should stop."""
    if ranks.size == 1:
        return should_stop
    return lambda: ranks.any(should_stop())
