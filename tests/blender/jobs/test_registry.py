# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

bpy = pytest.importorskip("bpy")

from cgc_addon.blender.jobs import job
from cgc_addon.blender.jobs import registry as jobs
from cgc_addon.blender.jobs.job import JobState, Phase
from cgc_addon.errors import CgcError, Interrupted

from ..fake_worker import FakeWorker


def polled() -> JobState:
    state = jobs.poll()
    assert state is not None
    return state


def test_a_job_tells_how_far_it_is_and_what_came_of_it(worker: FakeWorker, tmp_path: Path) -> None:
    started = jobs.start(["train", "a", "-o", "b"], "Train", run=tmp_path)
    assert (started.phase, started.title, started.verb) == (Phase.RUNNING, "Train", "train")
    assert worker.arguments == ("train", "a", "-o", "b")
    assert jobs.running()
    worker.tell("hello", version="1")
    worker.progress(30, 120, loss=0.25, psnr=21.5, gaussians=1000.0, seconds_left=9.0)
    worker.tell("note", text="No card was found.")
    worker.tell("preview", file=str(tmp_path / "preview.npy"))
    state = polled()
    assert (state.stage, state.done, state.total, state.fraction) == ("Training", 30, 120, 0.25)
    assert state.numbers == {"loss": 0.25, "psnr": 21.5, "gaussians": 1000.0}
    assert state.seconds_left == 9.0
    assert state.notes == ("No card was found.",)
    assert (state.preview, state.previews) == (tmp_path / "preview.npy", 1)
    worker.progress(120, 120)
    assert polled().numbers["psnr"] == 21.5  # the last message of a stage has no numbers
    worker.tell("result", gaussians=1000, segments=4)
    state = polled()
    assert (state.phase, state.result) == (Phase.DONE, {"gaussians": 1000, "segments": 4})
    assert not jobs.running()
    assert jobs.current() == state


def test_time_left_is_told_from_the_pace_where_the_engine_says_nothing(
    worker: FakeWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [100.0]
    monkeypatch.setattr(job, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    jobs.start(["render"], "Render")
    worker.progress(0, 10, stage="Rendering")
    assert polled().seconds_left is None
    clock[0] += 4.0
    worker.progress(2, 10, stage="Rendering")
    assert polled().seconds_left == pytest.approx(16.0)
    assert polled().seconds == pytest.approx(4.0)


def test_one_job_at_a_time(worker: FakeWorker) -> None:
    jobs.start(["train"], "Train")
    with pytest.raises(CgcError, match="Train is still running"):
        jobs.start(["render"], "Render")
    worker.tell("result")
    polled()
    jobs.start(["render"], "Render")


def test_pause_is_over_when_the_worker_says_so(worker: FakeWorker) -> None:
    jobs.start(["train"], "Train")
    jobs.pause()
    assert jobs.current().phase is Phase.RUNNING  # it is at a step yet
    assert polled().paused
    jobs.resume()
    assert not polled().paused
    assert worker.asked == ["pause", "resume"]


def test_stop_lets_the_worker_save_and_keeps_it_for_the_next_job(worker: FakeWorker) -> None:
    jobs.start(["train"], "Train")
    jobs.stop()
    assert jobs.current().stopping
    assert polled().phase is Phase.STOPPED
    assert worker.asked == ["stop"]
    jobs.start(["segment"], "Segment")
    assert worker.arguments == ("segment",)


def test_cancel_ends_a_worker_that_obeys(worker: FakeWorker) -> None:
    jobs.start(["train"], "Train")
    jobs.cancel()
    assert polled().phase is Phase.CANCELLED
    assert worker.asked == ["stop", "kill"]


def test_cancel_kills_a_worker_that_does_not_obey(
    deaf_worker: FakeWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [0.0]
    monkeypatch.setattr(job, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    jobs.start(["train"], "Train")
    jobs.pause()
    polled()
    jobs.cancel()
    clock[0] = 1.9
    assert polled().phase is Phase.CANCELLING
    clock[0] = 2.1
    assert polled().phase is Phase.CANCELLED
    assert "kill" in deaf_worker.asked


def test_stopping_can_still_be_cancelled(deaf_worker: FakeWorker) -> None:
    jobs.start(["train"], "Train")
    jobs.stop()
    assert polled().phase is Phase.STOPPING
    jobs.cancel()
    assert polled().phase is Phase.CANCELLING
    deaf_worker.tell("result", segments=3)  # done at the same moment: the wish counts
    assert polled().phase is Phase.CANCELLED


def test_a_job_that_was_done_when_asked_to_stop_is_done(deaf_worker: FakeWorker) -> None:
    jobs.start(["train"], "Train")
    jobs.stop()
    deaf_worker.tell("result")
    assert polled().phase is Phase.DONE


def test_an_error_while_saving_is_told(deaf_worker: FakeWorker) -> None:
    jobs.start(["train"], "Train")
    jobs.stop()
    deaf_worker.tell("error", text="The disk is full.")
    state = polled()
    assert (state.phase, state.error) == (Phase.FAILED, "The disk is full.")


@pytest.mark.parametrize("text", ["The worker ended unexpectedly (killed by SIGKILL).", ""])
def test_a_worker_that_dies_is_told_with_a_sentence(worker: FakeWorker, text: str) -> None:
    jobs.start(["train"], "Train")
    worker.progress(1, 10)
    worker.die(text)
    state = polled()
    assert state.phase is Phase.FAILED
    assert state.error == (text or "The worker ended without saying why; try again.")
    assert state.done == 1


def test_a_worker_that_was_interrupted_by_somebody_else_has_failed(worker: FakeWorker) -> None:
    jobs.start(["train"], "Train")
    worker.tell("interrupted")
    state = polled()
    assert state.phase is Phase.FAILED
    assert "from outside" in state.error


def test_a_dead_worker_is_replaced(worker: FakeWorker, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs.start(["train"], "Train")
    worker.die("dead")
    polled()
    other = FakeWorker()
    monkeypatch.setattr(jobs, "new_worker", lambda: other)
    jobs.start(["render"], "Render")
    assert other.arguments == ("render",)


def test_changed_preferences_mean_another_worker(
    worker: FakeWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs.start(["train"], "Train")
    worker.tell("result")
    polled()
    other = FakeWorker()
    monkeypatch.setattr(jobs, "new_worker", lambda: other)
    monkeypatch.setenv("NUMBA_NUM_THREADS", "7")
    jobs.start(["render"], "Render")
    assert other.arguments == ("render",)
    assert worker.asked == ["close"]


def test_loading_a_file_stops_the_job_and_says_so(worker: FakeWorker) -> None:
    jobs.start(["train"], "Train")
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    assert worker.asked == ["stop"]
    assert bpy.app.timers.is_registered(jobs._see_off)  # no operator is there to poll
    assert jobs._see_off() is None
    state = jobs.current()
    assert state.phase is Phase.STOPPED
    assert "Another file was opened" in state.notes[-1]


def test_undo_does_not_touch_the_job(worker: FakeWorker) -> None:
    bpy.ops.ed.undo_push(message="before")
    bpy.context.scene.name = "Renamed"
    bpy.ops.ed.undo_push(message="after")
    jobs.start(["train"], "Train")
    bpy.ops.ed.undo()
    worker.progress(5, 10)
    assert polled().done == 5


def test_unregistering_lets_the_worker_save_alone(worker: FakeWorker) -> None:
    jobs.start(["train"], "Train")
    jobs.unregister()
    try:
        assert worker.asked == ["close"]
        assert jobs.current() is None
        assert jobs._before_load not in bpy.app.handlers.load_pre
        assert not bpy.app.timers.is_registered(jobs._see_off)
    finally:
        jobs.register()


def test_unregistering_closes_an_idle_worker_and_its_timer(worker: FakeWorker) -> None:
    jobs.start(["train"], "Train")
    worker.tell("result")
    polled()
    assert bpy.app.timers.is_registered(jobs._close_idle)
    jobs.unregister()
    try:
        assert worker.asked == ["close"]
        assert not bpy.app.timers.is_registered(jobs._close_idle)
    finally:
        jobs.register()


def after(seconds: float, action: Callable[[], object]) -> None:
    threading.Timer(seconds, action).start()


def test_a_blocking_run_returns_the_result(worker: FakeWorker) -> None:
    states: list[JobState] = []
    worker.progress(1, 2)
    after(0.3, lambda: worker.tell("result", segments=3))
    assert jobs.run_blocking(["train"], states.append, title="Train") == {"segments": 3}
    assert [state.done for state in states] == [1, 1]


def test_a_blocking_run_raises_what_went_wrong(worker: FakeWorker) -> None:
    worker.tell("error", text="There is no model.")
    with pytest.raises(CgcError, match="There is no model"):
        jobs.run_blocking(["train"])


def test_ctrl_c_stops_a_blocking_run(worker: FakeWorker) -> None:
    before = signal.getsignal(signal.SIGINT)
    after(0.3, lambda: signal.raise_signal(signal.SIGINT))
    with pytest.raises(Interrupted):
        jobs.run_blocking(["train"])
    assert worker.asked == ["stop"]
    assert signal.getsignal(signal.SIGINT) == before


def test_a_second_ctrl_c_kills(deaf_worker: FakeWorker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job, "CANCEL_SECONDS", 0.2)
    for seconds in (0.3, 0.6):
        after(seconds, lambda: signal.raise_signal(signal.SIGINT))
    with pytest.raises(Interrupted):
        jobs.run_blocking(["train"])
    assert deaf_worker.asked[:3] == ["stop", "stop", "kill"]


def test_a_failing_report_leaves_no_job_behind(worker: FakeWorker) -> None:
    def fail(_state: JobState) -> None:
        raise RuntimeError("drawing failed")

    worker.progress(1, 2)
    with pytest.raises(RuntimeError):
        jobs.run_blocking(["train"], fail)
    assert worker.asked == ["close"]
    assert not jobs.running()


def test_a_worker_for_one_job_alone_is_not_kept(worker: FakeWorker) -> None:
    alone = FakeWorker()
    jobs.start(["install-engine"], "Install Engine", own_worker=lambda: alone)
    assert alone.arguments == ("install-engine",)
    alone.tell("result")
    assert polled().phase is Phase.DONE
    assert alone.asked == ["kill"]
    jobs.start(["train"], "Train")
    assert worker.arguments == ("train",)
    worker.tell("result")


def test_a_cancelled_job_may_tidy_up_as_long_as_it_asked_for(
    monkeypatch: pytest.MonkeyPatch, worker: FakeWorker
) -> None:
    clock = [100.0]
    monkeypatch.setattr(job, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    alone = FakeWorker(stops=False)
    jobs.start(["install-engine"], "Install", own_worker=lambda: alone, cancel_seconds=60.0)
    jobs.cancel()
    clock[0] += 59.0
    assert polled().phase is Phase.CANCELLING
    clock[0] += 2.0
    assert polled().phase is Phase.CANCELLED
    assert alone.asked == ["stop", "kill", "kill"]


def test_all_workers_end_before_files_change(worker: FakeWorker) -> None:
    ended: list[str] = []

    def close() -> None:
        ended.append("other")

    jobs.also_close(close)
    jobs.start(["train"], "Train")
    with pytest.raises(CgcError, match="Train is still running"):
        jobs.close_workers()
    worker.tell("result")
    polled()
    jobs.close_workers()
    assert worker.asked == ["close"]
    assert ended == ["other"]
    jobs.no_longer_close(close)
    jobs.close_workers()
    assert ended == ["other"]
