# SPDX-License-Identifier: GPL-3.0-or-later
"""A redraw that takes long is not asked for again before it costs but a small share of the time."""

from __future__ import annotations

import pytest

pytest.importorskip("bpy")

import bpy

from cgc_addon.blender.common import redraw_pace
from cgc_addon.blender.common.redraw_pace import SHARE, RedrawPace


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(redraw_pace, "time", clock)
    return clock


def drawn(pace: RedrawPace, clock: Clock, seconds: float) -> None:
    """Do as Blender does: call the timer, draw, call the timer again."""
    pace.shown()
    assert bpy.app.timers.is_registered(pace._timer)
    assert pace._timer() == 0.0
    clock.now += seconds
    assert pace._timer() is None
    pace.close()


def test_the_first_one_is_due_at_once(clock):
    assert RedrawPace(0.3).due()


def test_quick_redraws_come_as_often_as_wanted(clock):
    pace = RedrawPace(0.3)
    drawn(pace, clock, 0.001)
    clock.now += 0.2
    assert not pace.due()
    clock.now += 0.1
    assert pace.due()


def test_slow_redraws_take_their_share_and_no_more(clock):
    pace = RedrawPace(0.3)
    drawn(pace, clock, 0.25)
    clock.now += 0.9 * 0.25 / SHARE
    assert not pace.due()
    clock.now += 0.2 * 0.25 / SHARE
    assert pace.due()


def test_closing_leaves_no_timer(clock):
    pace = RedrawPace(0.3)
    pace.shown()
    pace.close()
    assert not bpy.app.timers.is_registered(pace._timer)
    pace.close()
