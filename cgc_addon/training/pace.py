# SPDX-License-Identifier: GPL-3.0-or-later
"""How fast a training goes, and how long it still takes."""

from __future__ import annotations

import time
from collections import deque

Pace = dict[str, float]
"""steps_per_second and seconds_left; empty until two reports were made."""

REMEMBERED = 20
"""Reports that the pace is measured over."""


class PaceMeter:
    """Measures the pace over the last reports; time in which the user had it wait is left out."""

    def __init__(self, steps: int) -> None:
        """Start measuring a training of so many steps in all."""
        self._steps = steps
        self._waited = 0.0
        self._recent: deque[tuple[float, int]] = deque(maxlen=REMEMBERED)

    def leave_out(self, seconds: float) -> None:
        """Leave out time that was spent waiting."""
        self._waited += seconds

    def at(self, step: int) -> Pace:
        """Return the pace at a report, when so many steps are done."""
        self._recent.append((time.perf_counter() - self._waited, step))
        seconds = self._recent[-1][0] - self._recent[0][0]
        done = self._recent[-1][1] - self._recent[0][1]
        if not done or seconds <= 0.0:
            return {}
        return {
            "steps_per_second": done / seconds,
            "seconds_left": (self._steps - step) * seconds / done,
        }
