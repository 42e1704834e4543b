# SPDX-License-Identifier: GPL-3.0-or-later
"""A job in a window: shown while it runs, ended by ESC, reported once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

bpy = pytest.importorskip("bpy")

from cgc_addon.blender.jobs import modal
from cgc_addon.blender.jobs import registry as jobs
from cgc_addon.blender.jobs.job import JobState, Phase
from cgc_addon.blender.jobs.modal import JobOperator, JobRequest

from ..fake_worker import FakeWorker


class Window:
    """Stands for Blender's window: remembers timers and the status bar."""

    def __init__(self) -> None:
        self.timers: list[object] = []
        self.status: list[str | None] = []
        self.window = self
        self.windows: list[Any] = []
        self.operators: list[Any] = []
        self.window_manager = self
        self.workspace = SimpleNamespace(status_text_set=self.status.append)
        self.scene = bpy.context.scene

    def event_timer_add(self, _seconds: float, *, window: object) -> object:
        self.timers.append(object())
        return self.timers[-1]

    def event_timer_remove(self, timer: object) -> None:
        self.timers.remove(timer)

    def modal_handler_add(self, operator: Any) -> bool:
        self.operators.append(operator)
        return True


class Counting(JobOperator):
    """An operator that trains, and counts what is called."""

    bl_idname = "CGC_OT_count"
    bl_label = "Count"

    def __init__(self) -> None:
        self.called: list[str] = []
        self.reports: list[tuple[set[str], str]] = []

    def report(self, kind: set[str], text: str) -> None:
        self.reports.append((kind, text))

    def begin(self, context: Any) -> JobRequest:
        return JobRequest(("train",))

    def finish(self, context: Any, state: JobState) -> set[Any]:
        self.called.append(state.phase.value)
        return {"FINISHED"}

    def updated(self, context: Any, state: JobState) -> None:
        self.called.append(f"{state.done}")

    def ended(self, context: Any) -> None:
        self.called.append("ended")


TICK = SimpleNamespace(type="TIMER", value="NOTHING")


ESC = SimpleNamespace(type="ESC", value="PRESS")


MOUSE = SimpleNamespace(type="MOUSEMOVE", value="NOTHING")


@pytest.fixture
def window(monkeypatch: pytest.MonkeyPatch) -> Iterator[Window]:
    monkeypatch.setattr(modal, "redraw_panels", lambda _context: None)
    window = Window()
    yield window
    for operator in window.operators:  # a timer left would hold Blender 4.5 up at its end
        operator.cancel(window)


def begun(window: Window) -> Counting:
    operator = Counting()
    assert operator.start_modal(window) == {"RUNNING_MODAL"}  # type: ignore[arg-type]
    return operator


def step(operator: Counting, window: Window, event: object) -> set[Any]:
    return operator.modal(window, event)  # type: ignore[arg-type]


def test_a_modal_job_shows_what_is_new_and_passes_events_on(
    worker: FakeWorker, window: Window
) -> None:
    operator = begun(window)
    worker.progress(3, 10, loss=0.5, psnr=20.0, seconds_left=200.0)
    assert step(operator, window, MOUSE) == {"PASS_THROUGH"}
    assert operator.called == []
    for _ in range(3):
        assert step(operator, window, TICK) == {"PASS_THROUGH"}
    assert operator.called == ["3"]  # nothing new, nothing drawn
    assert "3 of 10" in str(window.status[-1])
    assert "3 min left" in str(window.status[-1])
    worker.tell("result")
    assert step(operator, window, TICK) == {"FINISHED"}
    assert operator.called == ["3", "ended", "done"]
    assert window.timers == []


def test_escape_cancels_and_finishes_nothing(worker: FakeWorker, window: Window) -> None:
    operator = begun(window)
    assert step(operator, window, ESC) == {"RUNNING_MODAL"}
    assert step(operator, window, TICK) == {"CANCELLED"}
    assert operator.called == ["ended"]
    assert operator.reports == [({"WARNING"}, "Count was cancelled")]


def test_a_failure_is_reported_once(worker: FakeWorker, window: Window) -> None:
    operator = begun(window)
    worker.tell("error", text="The disk is full.")
    assert step(operator, window, TICK) == {"CANCELLED"}
    assert operator.reports == [({"ERROR"}, "The disk is full.")]
    assert jobs.current().error == "The disk is full."


def test_a_closed_window_stops_the_job(worker: FakeWorker, window: Window) -> None:
    operator = begun(window)
    operator.cancel(window)  # type: ignore[arg-type]
    assert worker.asked == ["stop"]
    assert window.timers == []
    assert jobs._see_off() is None
    assert jobs.current().phase is Phase.STOPPED
    assert "window was closed" in jobs.current().notes[-1]


def test_an_operator_that_was_left_before_it_began_stops_no_other_job(
    worker: FakeWorker, window: Window
) -> None:
    begun(window)
    Counting().cancel(window)  # type: ignore[arg-type]  # its file browser was left
    assert worker.asked == []
    assert jobs.running()
    assert len(window.timers) == 1


def test_a_job_cannot_be_started_twice(worker: FakeWorker, window: Window) -> None:
    begun(window)
    other = Counting()
    assert other.start_modal(window) == {"CANCELLED"}  # type: ignore[arg-type]
    assert "Count is still running" in other.reports[0][1]


def test_disabling_the_extension_ends_the_operator(worker: FakeWorker, window: Window) -> None:
    operator = begun(window)
    jobs.unregister()
    jobs.register()
    assert step(operator, window, TICK) == {"CANCELLED"}
    assert window.timers == []


def test_modal_steps_are_quick(worker: FakeWorker, window: Window) -> None:
    operator = begun(window)
    longest = 0.0
    for number in range(200):
        worker.progress(number, 200, loss=0.1, psnr=20.0)
        began = time.perf_counter()
        step(operator, window, TICK)
        longest = max(longest, time.perf_counter() - began)
    assert longest < 0.05  # the aim is 5 ms; a busy machine may take its time
