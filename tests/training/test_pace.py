# SPDX-License-Identifier: GPL-3.0-or-later
import pytest

from cgc_addon.training import pace
from cgc_addon.training.pace import PaceMeter


@pytest.fixture
def clock(monkeypatch):
    now = [50.0]
    monkeypatch.setattr(pace.time, "perf_counter", lambda: now[0])
    return now


def test_pace_is_known_from_the_second_report_on(clock):
    meter = PaceMeter(100)
    assert meter.at(10) == {}
    clock[0] += 2.0
    assert meter.at(20) == {"steps_per_second": 5.0, "seconds_left": 16.0}


def test_time_spent_waiting_does_not_count(clock):
    meter = PaceMeter(100)
    meter.at(10)
    clock[0] += 3600.0
    meter.leave_out(3600.0)
    clock[0] += 2.0
    assert meter.at(20) == {"steps_per_second": 5.0, "seconds_left": 16.0}


def test_only_the_last_reports_count(clock):
    meter = PaceMeter(10_000)
    for number in range(60):
        clock[0] += 10.0 if number < 30 else 1.0
        measured = meter.at(10 * number)
    assert measured["steps_per_second"] == 10.0
