# SPDX-License-Identifier: GPL-3.0-or-later
"""What is drawn in one redraw follows what drawing costs."""

from __future__ import annotations

import pytest

pytest.importorskip("bpy")

from cgc_addon.blender.drawing.pace import FEWEST, FIRST_GUESS, Pace


def test_slow_drawing_is_felt_at_once() -> None:
    pace = Pace()
    pace.learn(10_000, 1.0)
    assert pace.affordable(0.5) == 5_000


def test_speed_rises_in_steps() -> None:
    pace = Pace()
    pace.learn(10_000, 1e-6)
    assert pace.per_second == 4 * FIRST_GUESS
    for _ in range(10):
        pace.learn(10_000, 1e-3)
    assert pace.per_second == pytest.approx(1e7)


def test_few_gaussians_teach_nothing() -> None:
    pace = Pace()
    pace.learn(FEWEST - 1, 100.0)
    assert pace.per_second == FIRST_GUESS


def test_something_is_always_drawn() -> None:
    pace = Pace()
    pace.learn(10_000, 1e6)
    assert pace.affordable(0.1) == FEWEST
