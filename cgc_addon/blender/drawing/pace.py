# SPDX-License-Identifier: GPL-3.0-or-later
"""How much is drawn in one redraw, so that the window stays fluid on any computer.

What drawing costs is measured as it goes: a graphics card draws a million Gaussians in a few
milliseconds, a processor that stands in for one in seconds.
"""

from __future__ import annotations

from dataclasses import dataclass

FRAME_SECONDS = 0.06
"""What splats may take of a redraw while the view moves."""
SOFTWARE_FRAME_SECONDS = 0.015
"""The same where the processor stands in for a graphics card: the rest of the redraw takes it long
enough."""
SLICE_SECONDS = 0.2
"""What they may take of a redraw while the full picture is being completed."""
REST_SECONDS = 0.15
"""A view that has not changed for so long is at rest."""
FIRST_GUESS = 500_000.0
"""Gaussians per second before anything was measured: too few for a graphics card, which makes up
for it at once, and no more than a slow computer can bear."""
FEWEST = 2_000
"""Gaussians in any redraw: fewer show nothing, and measure nothing."""


@dataclass
class Pace:
    """Learns the speed at which pictures of one size are drawn."""

    per_second: float = FIRST_GUESS
    measured: bool = False

    def learn(self, count: int, seconds: float) -> None:
        """Take note of a measurement; those of a few Gaussians say little and are passed over."""
        if count < FEWEST:
            return
        # Quickly down, since a slow redraw is felt; up by no more than four at a time.
        self.per_second = min(count / max(seconds, 1e-6), 4.0 * self.per_second)
        self.measured = True

    def keep_between(self, slowest: float, fastest: float) -> None:
        """Take note of bounds, Gaussians per second; unless it is measured, expect the worst."""
        known = self.per_second if self.measured else slowest
        self.per_second = min(max(known, slowest), fastest)

    def affordable(self, seconds: float) -> int:
        """Return how many Gaussians can be drawn in a time."""
        return max(FEWEST, int(self.per_second * seconds))
