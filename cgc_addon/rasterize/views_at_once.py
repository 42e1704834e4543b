# SPDX-License-Identifier: GPL-3.0-or-later
"""Looking at many views of a splat that stays as it is, as many at a time as that is faster."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from ..ranks import Ranks, share
from .interface import Backend

Item = TypeVar("Item")
Result = TypeVar("Result")


class ViewsAtOnce:
    """Rounds of views: of several processes one each, of one process what its backend can."""

    def __init__(self, backend: Backend, ranks: Ranks) -> None:
        """Prepare to look.

        Args:
            backend: rasterizer.
            ranks: processes that look at views of their own.
        """
        self._backend, self._ranks = backend, ranks
        self._together = backend.photos_together() if ranks.size == 1 else None
        self.count = self._together.photos if self._together else ranks.size
        """Views of a round, of all processes together."""

    def each(self, look: Callable[[Backend, Item], Result], round_: Sequence[Item]) -> list[Result]:
        """Return what `look` gives for those views of a round that are for this process.

        Args:
            look: gets a backend that no other view has meanwhile, and may run in another thread.
            round_: what it gets besides, for at most `count` views.
        """
        mine = share(round_, self._ranks)
        if self._together is None or not mine:
            return [look(self._backend, one) for one in mine]
        return self._together.each(look, mine)
