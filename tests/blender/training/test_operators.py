# SPDX-License-Identifier: GPL-3.0-or-later
"""Training from Blender with the real worker; skipped where no interpreter has the engine."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

bpy = pytest.importorskip("bpy")

from cgc_addon.blender.common import preferences
from cgc_addon.blender.common.access import SceneSettings, of_collection, of_scene
from cgc_addon.blender.common.interpreter import VARIABLE, package_parent
from cgc_addon.blender.common.spoken import spoken
from cgc_addon.blender.jobs import registry as jobs
from cgc_addon.blender.jobs.job import JobState, Phase
from cgc_addon.blender.training.operators import CGC_OT_train, TrainingOperator
from cgc_addon.blender.training.plan import is_unfinished
from cgc_addon.training.run_lock import locked

ENGINE = Path(os.environ.get(VARIABLE) or package_parent() / ".venv" / "bin" / "python")
pytestmark = pytest.mark.skipif(not ENGINE.is_file(), reason="no interpreter has the engine")


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny capture, written by the engine's Python."""
    folder = tmp_path_factory.mktemp("tiny")
    command = [ENGINE, "-m", "tests.tiny_dataset", folder]
    subprocess.run(command, cwd=package_parent(), check=True)
    return folder


@pytest.fixture
def settings(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[SceneSettings]:
    """The scene's settings for a training of some seconds."""
    monkeypatch.setenv(VARIABLE, str(ENGINE))
    settings = of_scene(bpy.context.scene)
    settings.dataset, settings.run = str(dataset), str(tmp_path / "run")
    settings.preset, settings.steps, settings.maximum_gaussians = "draft", 20, 800
    yield settings
    jobs.unregister()
    jobs.register()


@pytest.fixture
def endless(settings: SceneSettings) -> SceneSettings:
    """Settings for a training that no test waits for."""
    settings.preset, settings.steps, settings.features = "paper", 100_000, "off"
    return settings


class Training(TrainingOperator):
    """`cgc.train` as a window runs it, without a window."""

    bl_idname = "CGC_OT_train"
    bl_label = "Train Segmented Splat"
    begin = CGC_OT_train.begin

    def __init__(self, existing: str = "ASK") -> None:
        self.existing = existing
        self.reports: list[tuple[set[str], str]] = []
        status = SimpleNamespace(status_text_set=lambda _text: None)
        self._window: Any = SimpleNamespace(
            window=None,
            windows=(),
            workspace=status,
            event_timer_add=lambda _seconds, window: object(),
            event_timer_remove=lambda _timer: None,
            modal_handler_add=lambda _operator: True,
        )
        self._window.window_manager = self._window

    def report(self, kind: set[str], text: str) -> None:
        self.reports.append((kind, text))

    def start(self) -> Training:
        self._window.scene = bpy.context.scene
        assert self.start_modal(self._window) == {"RUNNING_MODAL"}, self.reports
        return self

    def event(self, kind: str) -> set[Any]:
        return self.modal(self._window, SimpleNamespace(type=kind, value="PRESS"))  # type: ignore[arg-type]

    def until(self, reached: Callable[[JobState], object], seconds: float = 120.0) -> JobState:
        """Let the timer tick until the job is where it is wanted, or has ended."""
        end = time.monotonic() + seconds
        status = {"PASS_THROUGH"}
        while time.monotonic() < end and status == {"PASS_THROUGH"}:
            status = self.event("TIMER")
            state = jobs.current()
            assert state is not None
            if state.ended or reached(state):
                return state
            time.sleep(0.05)
        raise AssertionError(f"not reached within {seconds} s: {jobs.current()}")

    def finish(self, context: Any, state: JobState) -> set[Any]:
        return super().finish(bpy.context, state)


def training(state: JobState) -> bool:
    return state.stage == "Training" and state.done > 20


def ended(state: JobState) -> bool:
    return state.ended


def names_of_data() -> set[str]:
    return {f"{kind}.{item.name}" for kind in ("objects", "collections", "pointclouds")
            for item in getattr(bpy.data, kind)}  # fmt: skip


def worker_pid() -> int:
    job = jobs._registry.job
    assert job is not None
    return job.worker.process_id  # type: ignore[attr-defined]


def runs(pid: int) -> bool:
    """Whether a process runs; one that only waits to be noticed does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


@pytest.mark.slow
def test_training_ends_with_segments_in_the_scene(settings: SceneSettings, tmp_path: Path) -> None:
    assert bpy.ops.cgc.train() == {"FINISHED"}
    state = jobs.current()
    assert state is not None
    assert state.phase is Phase.DONE
    (capture,) = [c for c in bpy.data.collections if of_collection(c).kind == "CAPTURE"]
    kinds = [of_collection(c).kind for c in capture.children_recursive]
    assert kinds.count("SEGMENT") == state.result["segments"] > 0
    assert Path(bpy.path.abspath(of_collection(capture).run)) == tmp_path / "run"
    before = names_of_data()

    with pytest.raises(RuntimeError, match="a finished run with these settings"):
        bpy.ops.cgc.train()
    with pytest.raises(RuntimeError, match="no unfinished run"):
        bpy.ops.cgc.resume_training()
    settings.seed = 5
    with pytest.raises(RuntimeError, match="a run with other settings"):
        bpy.ops.cgc.train()

    (tmp_path / "run" / "segments.json").unlink()  # as if it had been killed before its end
    assert bpy.ops.cgc.resume_training() == {"FINISHED"}
    assert names_of_data() == before
    settings.features = "off"
    assert bpy.ops.cgc.train(existing="NEW") == {"FINISHED"}
    assert (tmp_path / "run2" / "splat.ply").is_file()
    assert settings.run == str(tmp_path / "run2")


def test_the_worker_is_checked(settings: SceneSettings) -> None:
    assert bpy.ops.cgc.check_worker() == {"FINISHED"}
    report = jobs.worker_report()
    assert report is not None
    assert report.usable
    assert report.packages["torch"]
    assert report.rasterizer in {"cpu", "cuda"}


def test_escape_ends_the_worker_within_three_seconds(
    endless: SceneSettings, tmp_path: Path
) -> None:
    before = names_of_data()
    operator = Training().start()
    operator.until(training)
    pid = worker_pid()
    began = time.monotonic()
    assert operator.event("ESC") == {"RUNNING_MODAL"}
    operator.until(ended)
    while runs(pid):
        assert time.monotonic() - began < 3.0
        time.sleep(0.02)
    assert jobs.current().phase is Phase.CANCELLED
    assert operator.reports[-1][0] == {"WARNING"}
    assert "Resume goes on" in operator.reports[-1][1]
    assert names_of_data() == before
    assert is_unfinished(tmp_path / "run")


def test_stop_and_keep_imports_what_there_is_and_resume_goes_on(
    endless: SceneSettings, tmp_path: Path
) -> None:
    operator = Training().start()
    state = operator.until(training)
    assert "--preview" in state.arguments
    jobs.pause()
    assert operator.until(lambda state: state.paused).paused
    steps = jobs.current().done
    time.sleep(0.5)
    assert operator.until(lambda _state: True).done == steps
    assert bpy.ops.cgc.pause_training() == {"FINISHED"}
    operator.until(lambda state: state.done > steps)
    assert bpy.ops.cgc.stop_training() == {"FINISHED"}
    assert operator.until(ended).phase is Phase.STOPPED
    assert operator.reports[-1][0] == {"INFO"}
    assert any(of_collection(c).kind == "UNASSIGNED" for c in bpy.data.collections)
    assert bpy.ops.cgc.resume_training.poll()

    again = Training("RESUME").start()
    assert again.until(training).done > steps  # not from the beginning
    jobs.cancel()
    assert again.until(ended).phase is Phase.CANCELLED


def test_what_was_stopped_before_it_began_is_kept_as_nothing(endless: SceneSettings) -> None:
    endless.preset = "draft"  # which looks for the far background first
    operator = Training().start()
    jobs.stop()
    assert operator.until(ended).phase is Phase.STOPPED
    assert operator.reports == [
        ({"WARNING"}, "Training was stopped before there was anything to keep")
    ]


def test_a_killed_worker_is_reported_and_can_be_resumed(
    endless: SceneSettings, tmp_path: Path
) -> None:
    before = names_of_data()
    operator = Training().start()
    operator.until(training)
    os.kill(worker_pid(), signal.SIGKILL)
    state = operator.until(ended)
    assert state.phase is Phase.FAILED
    assert "killed by SIGKILL" in state.error
    assert operator.reports == [({"ERROR"}, state.error)]
    assert names_of_data() == before
    assert bpy.ops.cgc.train.poll()


def test_a_run_folder_deleted_while_training_is_reported(
    endless: SceneSettings, tmp_path: Path
) -> None:
    operator = Training().start()
    operator.until(training)
    # Away at once: while a folder is emptied, the worker may put another file into it.
    shutil.rmtree((tmp_path / "run").rename(tmp_path / "gone"))
    state = operator.until(ended)
    assert state.phase is Phase.FAILED
    assert str(tmp_path / "run") in state.error
    assert operator.reports == [({"ERROR"}, spoken(state.error))]


def test_a_run_folder_is_trained_in_by_one_process(settings: SceneSettings, tmp_path: Path) -> None:
    with (
        locked(tmp_path / "run"),
        pytest.raises(RuntimeError, match=rf"is being trained by process {os.getpid()}"),
    ):
        bpy.ops.cgc.train()


def test_a_python_without_the_engine_is_told_to_be_one(
    settings: SceneSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, sys.executable)  # has bpy, but no torch
    with pytest.raises(RuntimeError, match=r"torch"):
        bpy.ops.cgc.train()
    with pytest.raises(RuntimeError, match=r"lacks torch"):
        bpy.ops.cgc.check_worker()
    report = jobs.worker_report()
    assert report is not None
    assert "torch" in report.command


def test_an_interpreter_that_is_none_is_reported(
    settings: SceneSettings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "nothing"))
    with pytest.raises(RuntimeError, match="does not exist"):
        bpy.ops.cgc.train()
    program = tmp_path / "python"
    program.write_text("#!/bin/sh\necho I am no Python >&2\nexit 3\n")
    program.chmod(0o755)
    monkeypatch.setenv(VARIABLE, str(program))
    with pytest.raises(RuntimeError, match="I am no Python"):
        bpy.ops.cgc.check_worker()
    report = jobs.worker_report()
    assert report is not None
    assert not report.usable
    assert "I am no Python" in report.error


def test_bad_datasets_are_reported_and_start_nothing(
    settings: SceneSettings, tmp_path: Path
) -> None:
    settings.dataset = str(tmp_path / "nothing")
    with pytest.raises(RuntimeError, match="is not a folder"):
        bpy.ops.cgc.train()
    settings.dataset = str(tmp_path)
    with pytest.raises(RuntimeError, match="holds no COLMAP model"):
        bpy.ops.cgc.train()
    settings.dataset = ""
    assert not bpy.ops.cgc.train.poll()
    assert not (tmp_path / "run").exists()


def test_buttons_that_make_no_sense_cannot_be_pressed(settings: SceneSettings) -> None:
    assert bpy.ops.cgc.train.poll()
    for name in ("pause_training", "stop_training", "cancel_training", "resume_training"):
        assert not getattr(bpy.ops.cgc, name).poll()
    assert preferences.stored() is None
