# SPDX-License-Identifier: GPL-3.0-or-later
"""Pause, stop and cancel act on whatever job runs."""

from __future__ import annotations

import pytest

bpy = pytest.importorskip("bpy")

from cgc_addon.blender.jobs import registry as jobs
from cgc_addon.blender.jobs.job import Phase

from ..fake_worker import FakeWorker


@pytest.fixture
def running(worker: FakeWorker) -> FakeWorker:
    """Return the worker of a job that is no training: the operators' ids only say so."""
    jobs.start(["render"], "Render Masks")
    return worker


def test_without_a_job_there_is_nothing_to_press(worker: FakeWorker) -> None:
    for name in ("pause_training", "stop_training", "cancel_training"):
        assert not getattr(bpy.ops.cgc, name).poll()


def test_pausing_again_goes_on(running: FakeWorker) -> None:
    assert bpy.ops.cgc.pause_training() == {"FINISHED"}
    assert jobs.poll().phase is Phase.PAUSED
    assert bpy.ops.cgc.pause_training() == {"FINISHED"}
    assert running.asked == ["pause", "resume"]


def test_what_is_being_ended_can_only_be_cancelled(deaf_worker: FakeWorker) -> None:
    jobs.start(["render"], "Render Masks")
    assert bpy.ops.cgc.stop_training() == {"FINISHED"}
    assert jobs.current().phase is Phase.STOPPING
    assert not bpy.ops.cgc.stop_training.poll()
    assert not bpy.ops.cgc.pause_training.poll()
    assert bpy.ops.cgc.cancel_training() == {"FINISHED"}
    assert jobs.current().phase is Phase.CANCELLING
