# SPDX-License-Identifier: GPL-3.0-or-later
"""One region of a window: which picture of the splats it shows now, and what is still to do.

While the view moves, as many Gaussians are drawn as time allows, those that cover most first, at a
half or a quarter of the resolution where that is not all of them. Once it rests, they are sorted,
and the full picture is drawn in slices, one with each redraw, and shown when it is whole. After
that a redraw only lays it over the region again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from .ordering import Order, back_to_front
from .pace import ENOUGH, FRAME_SECONDS, REST_SECONDS, SLICE_SECONDS, Pace
from .sorter import Sorter

if TYPE_CHECKING:
    from gpu.types import GPUTexture

    from .picture import Painter, Picture, Style
    from .shown import Appearance, Viewpoint

FULL, HALF, QUARTER = 1, 2, 4
"""Pixels of a region along one of the picture."""
SORTED_AT_ONCE = 50_000
"""So many Gaussians are sorted within a redraw, in some milliseconds."""


@dataclass(frozen=True, eq=False)
class Wanted:
    """What a region is to show."""

    appearances: tuple[Appearance, ...]
    viewpoint: Viewpoint
    style: Style
    nearest: GPUTexture
    """Depths of what hides splats."""
    surroundings: Hashable
    """Equal as long as `nearest` is."""

    def key(self) -> Hashable:
        """Return what is equal as long as the picture is the same."""
        return (*self.geometry(), self.style, self.surroundings)

    def geometry(self) -> tuple[Hashable, ...]:
        """Return what is equal as long as the order is the same."""
        view = self.viewpoint
        matrices = (view.world_to_view.tobytes(), view.projection.tobytes())
        return (self.appearances, *matrices, view.width, view.height, self.style.size)

    def order(self, at_most: int | None = None) -> Order:
        """Return what is drawn, back to front: all of it, or so many Gaussians at most."""
        return back_to_front(self.appearances, self.viewpoint, at_most, self.style.size)

    def splats(self) -> Hashable:
        """Return what is equal as long as an order fits, if not to this place of everything."""
        return tuple(appearance.splat for appearance in self.appearances)

    def total(self) -> int:
        """Return how many Gaussians there are, seen or not."""
        return sum(len(appearance.splat.gaussians) for appearance in self.appearances)

    def coarser(self, factor: int) -> Wanted:
        """Return the same at a part of the resolution."""
        view = self.viewpoint
        width, height = max(1, view.width // factor), max(1, view.height // factor)
        return replace(self, viewpoint=replace(view, width=width, height=height))


@dataclass
class RegionDrawing:
    """The pictures of one region."""

    clock: Callable[[], float] = time.monotonic
    frame_seconds: float = FRAME_SECONDS
    """What splats may take of a redraw while the view moves."""
    shown: Picture | None = None
    """What the region shows, complete."""
    begun: Picture | None = None
    """The full picture, while it is drawn."""
    fine: bool = False
    """Whether `shown` holds every Gaussian in its right order, at full resolution."""
    _key: Hashable = None
    _changed_at: float = 0.0
    _sorter: Sorter[Order] = field(default_factory=Sorter)
    _paces: dict[int, Pace] = field(
        default_factory=lambda: {factor: Pace() for factor in (FULL, HALF, QUARTER)}
    )

    def advance(self, painter: Painter, wanted: Wanted) -> Picture | None:
        """Draw what time allows, and return the picture to show.

        Args:
            painter: draws.
            wanted: what the region is to show; None of its pictures may be shown if it differs.
        """
        if wanted.key() != self._key:
            self._key, self._changed_at = wanted.key(), self.clock()
            self.begun, self.fine = None, False
            self._draw_moving(painter, wanted)
        if not self.fine and self._rests():
            self._draw_slice(painter, wanted)
        return self.shown

    @property
    def waits(self) -> bool:
        """Whether another redraw would show more, though perhaps not yet."""
        return not self.fine

    def due(self) -> bool:
        """Return whether another redraw would show more now."""
        if self.fine or not self._rests():
            return False
        return self.begun is not None or not self._sorter.busy

    def close(self) -> None:
        """Free what is held."""
        self.shown = self.begun = None
        self._sorter.close()

    def _rests(self) -> bool:
        return self.clock() - self._changed_at >= REST_SECONDS

    def _draw_moving(self, painter: Painter, wanted: Wanted) -> None:
        """Draw a picture within the time of one frame."""
        affordable = {
            factor: pace.affordable(self.frame_seconds) for factor, pace in self._paces.items()
        }
        total = wanted.total()
        if total <= min(affordable[FULL], SORTED_AT_ONCE):
            order = wanted.order()
            self._finish(self._drawn(painter, wanted, order, FULL))
        elif total <= affordable[FULL]:  # a graphics card: what takes its time is the sorting
            self._ask(wanted)
            newest = self._sorter.newest()
            if newest is None or newest[0][0] != wanted.splats():
                order = wanted.order()
            else:
                order = newest[1]
            self.shown = self._drawn(painter, wanted, order, FULL)
        else:
            factor = HALF if affordable[HALF] >= min(total, ENOUGH) else QUARTER
            at_most = affordable[factor]
            order = wanted.order(at_most)
            self.shown = self._drawn(painter, wanted, order, factor)

    def _draw_slice(self, painter: Painter, wanted: Wanted) -> None:
        """Draw the next part of the full picture, once the order is there."""
        if self.begun is None:
            newest = self._sorter.newest()
            key = self._ask(wanted)
            if newest is None or newest[0] != key:
                return
            self.begun = painter.begin(
                wanted.appearances, newest[1], wanted.viewpoint, wanted.style
            )
            self.begun.wait()
        began, before = self.clock(), self.begun.drawn
        count = self._paces[FULL].affordable(SLICE_SECONDS)
        self.begun.draw(painter.blending, wanted.nearest, count)
        self.begun.wait()
        self._learn(FULL, self.begun.drawn - before, self.clock() - began)
        if self.begun.complete:
            self._finish(self.begun)

    def _ask(self, wanted: Wanted) -> tuple[Hashable, ...]:
        """Wish for the order of all that is wanted, and return the key that it will have."""
        key = (wanted.splats(), wanted.geometry())
        self._sorter.ask(key, wanted.order)
        return key

    def _drawn(self, painter: Painter, wanted: Wanted, order: Order, factor: int) -> Picture:
        """Return a whole picture, and learn how long it takes."""
        began, coarse = self.clock(), wanted.coarser(factor)
        picture = painter.begin(coarse.appearances, order, coarse.viewpoint, coarse.style)
        picture.draw(painter.blending, coarse.nearest, picture.total)
        picture.wait()
        self._learn(factor, picture.total, self.clock() - began)
        return picture

    def _learn(self, factor: int, count: int, seconds: float) -> None:
        """Take note of a measurement, also where it bounds what else may take."""
        self._paces[factor].learn(count, seconds)
        if not self._paces[factor].measured:
            return
        known = self._paces[factor].per_second
        for other, pace in self._paces.items():
            # A finer picture takes longer, but at most by its pixels.
            pixels = (factor / other) ** 2
            pace.keep_between(min(known, known / pixels), max(known, known / pixels))

    def _finish(self, picture: Picture) -> None:
        self.shown, self.begun, self.fine = picture, None, True
