# SPDX-License-Identifier: GPL-3.0-or-later
"""When the state of a training is kept: by time, however long its steps are."""

from __future__ import annotations

import time
from collections.abc import Callable


class StateClock:
    """Asked between two steps, it says when to keep the state.

    At no moment more than the given seconds of work are without a state, unless one step takes
    longer than any since the state before. What writing takes is no work.

    Example:
        >>> times = iter([0.0, 4.0, 8.0, 9.0, 13.0])
        >>> clock = StateClock(10.0, lambda: next(times))
        >>> clock.due(), clock.due()  # after 4 s and 8 s: one more step may end after 12 s
        (False, True)
        >>> clock.kept()  # 1 s later
        >>> clock.due()
        False
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = time.perf_counter) -> None:
        """Begin to count; the first step is about to be done.

        Args:
            seconds: of work that a kill may cost; 0 keeps each step.
            clock: seconds.
        """
        self._seconds, self._clock = seconds, clock
        self._kept = self._asked = clock()
        self._longest = 0.0

    def due(self) -> bool:
        """Return whether to keep the state before the next step."""
        now = self._clock()
        self._longest = max(self._longest, now - self._asked)
        self._asked = now
        return now - self._kept + self._longest > self._seconds

    def kept(self) -> None:
        """Take note that the state was kept."""
        self._kept = self._asked = self._clock()
        self._longest = 0.0
