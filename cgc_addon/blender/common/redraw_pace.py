# SPDX-License-Identifier: GPL-3.0-or-later
"""How often something may be shown again, if that is to cost the window little of its time.

Drawing takes a graphics card a millisecond and a processor that stands in for one a quarter of a
second. What a redraw takes is therefore measured, and the next one waits accordingly.
"""

from __future__ import annotations

import time

import bpy

SHARE = 0.02
"""Part of the window's time that one thing may take."""


class RedrawPace:
    """Call `shown` after asking Blender for a redraw, and ask for the next one when it is `due`."""

    def __init__(self, at_least: float) -> None:
        """Remember the least seconds between two redraws."""
        self._at_least = at_least
        self._since = float("-inf")
        self._took = 0.0
        self._calls = 0
        # One object, by which Blender knows the timer again.
        self._timer = self._measure

    def due(self) -> bool:
        """Return whether enough time has passed."""
        wait = max(self._at_least, self._took / SHARE)
        return time.monotonic() - self._since >= wait

    def shown(self) -> None:
        """Take note that a redraw was asked for just now, and measure it."""
        self._since, self._calls = time.monotonic(), 0
        if not bpy.app.timers.is_registered(self._timer):
            bpy.app.timers.register(self._timer)

    def close(self) -> None:
        """Measure no more."""
        if bpy.app.timers.is_registered(self._timer):
            bpy.app.timers.unregister(self._timer)

    def _measure(self) -> float | None:
        """Note what the redraw took: Blender calls timers once before it draws, and once after."""
        self._calls += 1
        if self._calls < 2:
            return 0.0
        self._took = time.monotonic() - self._since
        return None
