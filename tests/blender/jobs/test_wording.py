# SPDX-License-Identifier: GPL-3.0-or-later
"""How far a job is, in words."""

from __future__ import annotations

import pytest

pytest.importorskip("bpy")

from cgc_addon.blender.jobs.job import JobState, Phase
from cgc_addon.blender.jobs.wording import (
    duration,
    number_lines,
    stage_line,
    status_line,
    units_line,
    whole_line,
)


def state(**values) -> JobState:
    return JobState(**{"title": "Train", "arguments": ("train",), **values})


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(4.4, "4 s"), (89.0, "89 s"), (200.0, "3 min"), (7500.0, "2 h 5 min")],
)
def test_durations_are_written_as_people_do(seconds: float, words: str) -> None:
    assert duration(seconds) == words


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ({"done": 5, "total": 1000}, "Train   |   Starting   |   5 of 1,000   |   ESC cancels"),
        ({"overall": 0.25}, "Train   |   25%   |   Starting   |   ESC cancels"),
        ({"phase": Phase.STOPPING}, "Train   |   Stopping   |   Starting   |   ESC cancels"),
        (
            {"numbers": {"psnr": 24.56, "loss": 0.5}, "seconds_left": 30.0},
            "Train   |   Starting   |   loss 0.5000   |   24.6 dB   |   30 s left   |   "
            "ESC cancels",
        ),
    ],
)
def test_the_status_bar_says_it_in_one_line(values: dict[str, object], line: str) -> None:
    assert status_line(state(**values)) == line


def test_panels_say_stage_and_time_left() -> None:
    assert stage_line(state(stage="Geometry", done=3, total=6, seconds_left=30.0)) == (
        "Geometry  ·  3 / 6  ·  30 s left"
    )
    assert whole_line(state(overall=0.5, seconds_left=120.0)) == "50%  ·  2 min left"


def test_what_is_being_ended_has_no_time_left() -> None:
    ending = state(stage="Geometry", phase=Phase.STOPPING, seconds_left=30.0)
    assert stage_line(ending) == "Ending"
    assert units_line(state(phase=Phase.PAUSED)) == "Paused"


def test_numbers_stand_two_a_line() -> None:
    numbers = {"psnr": 20.0, "loss": 0.25, "gaussians": 12345.0}
    assert number_lines(state(numbers=numbers, seconds=61.0)) == [
        "20.0 dB  ·  loss 0.2500",
        "12,345 Gaussians  ·  61 s so far",
    ]
