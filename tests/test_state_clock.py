# SPDX-License-Identifier: GPL-3.0-or-later
"""Steps of any length, and writing that takes any time: no more work than promised has no state."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cgc_addon.state_clock import StateClock


@settings(max_examples=50, deadline=None)
@given(
    longest=st.floats(1e-3, 9.0),
    writing=st.floats(0.0, 60.0),
    seed=st.integers(0, 1000),
)
def test_no_more_work_than_promised_is_without_a_state(longest, writing, seed) -> None:
    random = np.random.default_rng(seed)
    now, work, most, kept = 0.0, 0.0, 0.0, 0
    clock = StateClock(20.0, lambda: now)
    steps = min(2_000, int(200 / longest) + 10)
    for _ in range(steps):
        # The first step after a state is the longest: none is longer than one since the state.
        length = longest if work == 0.0 else longest * random.uniform(0.1, 1.0)
        now, work = now + length, work + length
        most = max(most, work)
        if clock.due():
            now, work, kept = now + writing, 0.0, kept + 1
            clock.kept()
    assert most <= 20.0 + 1e-9
    assert kept <= steps * longest / (20.0 - 2.0 * longest) + 1  # and not much more often


@pytest.mark.parametrize("seconds", [0.0, 1.0])
def test_a_step_that_is_longer_than_all_is_kept_at_once(seconds) -> None:
    times = iter([0.0, 5.0, 6.0, 11.0])
    clock = StateClock(seconds, lambda: next(times))
    assert clock.due()
    clock.kept()
    assert clock.due()
