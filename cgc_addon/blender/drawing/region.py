# SPDX-License-Identifier: GPL-3.0-or-later
"""One region of a window: which picture of the splats it shows now, and what is still to do.

While the view moves, as many Gaussians are drawn as time allows, those that cover most first, at a
part of the resolution where that is not all of them, and whatever hides them: that is
left to whoever shows this rough picture. Once the view rests, they are sorted, and the full picture
is drawn in slices, one with each redraw, and shown when it is whole. After that a redraw only lays
it over the region again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from .ordering import Order, back_to_front
from .pace import FRAME_SECONDS, REST_SECONDS, SLICE_SECONDS, Pace
from .sorter import Sorter

if TYPE_CHECKING:
    from gpu.types import GPUTexture

    from .picture import Painter, Picture, Style
    from .shown import Appearance, Viewpoint

FULL, HALF, QUARTER, EIGHTH = 1, 2, 4, 8
"""Pixels of a region along one of the picture."""
ENOUGH = {HALF: 50_000, QUARTER: 10_000}
"""Gaussians that make a resolution worth it: more of them in a coarser picture show better what is
where than fewer in this one."""
BETWEEN_MEASUREMENTS = 3
"""So many rough pictures are not waited for after each that is."""
SORTED_AT_ONCE = 50_000
"""So many Gaussians are sorted within a redraw, in some milliseconds."""


@dataclass(frozen=True, eq=False)
class Wanted:
    """What a region is to show."""

    appearances: tuple[Appearance, ...]
    viewpoint: Viewpoint
    style: Style

    def key(self) -> Hashable:
        """Return what is equal as long as the picture is the same, but for what hides it."""
        return (*self.geometry(), self.style)

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


@dataclass(frozen=True, eq=False)
class Occluders:
    """What hides splats in a region."""

    nearest: GPUTexture | None = None
    """Depths of what is before them, 1 where nothing is; None where nothing is anywhere."""
    version: Hashable = None
    """Equal as long as `nearest` is."""


@dataclass
class RegionDrawing:
    """The pictures of one region."""

    clock: Callable[[], float] = time.monotonic
    frame_seconds: float = FRAME_SECONDS
    """What splats may take of a redraw while the view moves."""
    shown: Picture | None = None
    """What the region shows: the full picture, or else the rough one."""
    rough: Picture | None = None
    """What was drawn last while the view moved: nothing hides it, and it has marks."""
    begun: Picture | None = None
    """The full picture, while it is drawn."""
    fine: bool = False
    """Whether `shown` is the full picture."""
    _key: Hashable = None
    _hidden_by: Occluders | None = None
    """What hides the full picture; None since the view has moved."""
    _changed_at: float = 0.0
    _unmeasured: int = 0
    """So many rough pictures more are drawn before the next one is measured."""
    _sorter: Sorter[Order] = field(default_factory=Sorter)
    _paces: dict[int, Pace] = field(
        default_factory=lambda: {factor: Pace() for factor in (FULL, HALF, QUARTER, EIGHTH)}
    )

    def advance(
        self, painter: Painter, wanted: Wanted, look_around: Callable[[], Occluders]
    ) -> Picture | None:
        """Draw what time allows, and return the picture to show.

        Args:
            painter: draws.
            wanted: what the region is to show; None of its pictures may be shown if it differs.
            look_around: returns what hides splats; called only while the view rests.
        """
        if wanted.key() != self._key:
            self._key, self._hidden_by = wanted.key(), None
            self._begin_again()
            self.rough = self.shown = self._moving(painter, wanted)
        if self._rests():
            hidden_by = look_around()
            before, self._hidden_by = self._hidden_by, hidden_by
            if before is not None and before.version != hidden_by.version:
                self._begin_again()
            elif not self.fine:
                self._draw_slice(painter, wanted, hidden_by.nearest)
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
        self.shown = self.rough = self.begun = None
        self._sorter.close()

    def _begin_again(self) -> None:
        """Show no full picture until the view has rested again."""
        self.shown, self.begun, self.fine = self.rough, None, False
        self._changed_at = self.clock()

    def _rests(self) -> bool:
        return self.clock() - self._changed_at >= REST_SECONDS

    def _moving(self, painter: Painter, wanted: Wanted) -> Picture:
        """Return a picture that is drawn within the time of one frame."""
        affordable = {
            factor: pace.affordable(self.frame_seconds) for factor, pace in self._paces.items()
        }
        total = wanted.total()
        if total <= min(affordable[FULL], SORTED_AT_ONCE):
            return self._drawn(painter, wanted, wanted.order(), FULL)
        if total <= affordable[FULL]:  # a graphics card: what takes its time is the sorting
            self._ask(wanted)
            newest = self._sorter.newest()
            fits = newest is not None and newest[0][0] == wanted.splats()
            order = newest[1] if newest is not None and fits else wanted.order()
            return self._drawn(painter, wanted, order, FULL)
        enough = (f for f, count in ENOUGH.items() if affordable[f] >= min(total, count))
        factor = next(enough, EIGHTH)
        return self._drawn(painter, wanted, wanted.order(affordable[factor]), factor)

    def _draw_slice(self, painter: Painter, wanted: Wanted, nearest: GPUTexture | None) -> None:
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
        self.begun.draw(painter.blending, nearest, count)
        self.begun.wait()
        self._learn(FULL, self.begun.drawn - before, self.clock() - began)
        if self.begun.complete:
            self.shown, self.begun, self.fine = self.begun, None, True

    def _ask(self, wanted: Wanted) -> tuple[Hashable, ...]:
        """Wish for the order of all that is wanted, and return the key that it will have."""
        key = (wanted.splats(), wanted.geometry())
        self._sorter.ask(key, wanted.order)
        return key

    def _drawn(self, painter: Painter, wanted: Wanted, order: Order, factor: int) -> Picture:
        """Return a rough picture, and learn now and then how long it takes.

        To wait for the graphics card is what costs most where the processor stands in for it.
        """
        measures = self._unmeasured == 0 or not self._paces[factor].measured
        self._unmeasured = 0 if measures else self._unmeasured - 1
        coarse, style = wanted.coarser(factor), replace(wanted.style, marked=True)
        if measures and self.rough is not None:
            self.rough.wait()  # for what Blender has begun
        began = self.clock()
        picture = painter.begin(coarse.appearances, order, coarse.viewpoint, style)
        picture.draw(painter.blending, None, picture.total)
        if measures:
            picture.wait()
            self._learn(factor, picture.total, self.clock() - began)
            self._unmeasured = BETWEEN_MEASUREMENTS
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
