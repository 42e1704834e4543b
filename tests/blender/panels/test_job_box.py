# SPDX-License-Identifier: GPL-3.0-or-later
"""A job is shown while it runs; why one failed stays until it was read."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("bpy")

import bpy

from cgc_addon.blender.common.interpreter import Interpreter
from cgc_addon.blender.jobs import registry as jobs
from cgc_addon.blender.jobs.job import Phase
from cgc_addon.blender.jobs.worker_report import WorkerReport
from cgc_addon.blender.panels.output import CGC_PT_render_masks
from cgc_addon.blender.panels.sidebar import CLASSES
from cgc_addon.blender.panels.training import CGC_PT_training
from cgc_addon.blender.training.dataset_facts import look

from ..recorded_layout import drawn

PANELS = [cls for cls in CLASSES if issubclass(cls, bpy.types.Panel)]


def test_training_shows_how_far_it_is(dataset, job):
    look(bpy.context.scene)
    job(
        stage="Geometry",
        done=300,
        total=600,
        numbers={"loss": 0.0123, "psnr": 24.56, "gaussians": 12345.0, "steps_per_second": 20.0},
        seconds=61.0,
        seconds_left=30.0,
        notes=("Drawing on the CPU.",),
    )
    shown = drawn(CGC_PT_training)
    assert shown.progress == [(0.5, "Geometry  ·  300 / 600  ·  30 s left")]
    for text in ("24.6 dB", "loss 0.0123", "12,345 Gaussians", "20.0 steps/s", "61 s so far"):
        assert text in shown.text
    assert {"cgc.pause_training", "cgc.stop_training", "cgc.cancel_training"} <= set(
        shown.operators
    )
    assert "cgc.train" not in shown.operators
    for panel in PANELS:
        drawn(panel)


@pytest.mark.parametrize(
    ("phase", "said"),
    [(Phase.PAUSED, "Paused"), (Phase.STOPPING, "Ending"), (Phase.CANCELLING, "Ending")],
)
def test_phases_are_said(job, phase, said):
    job(phase=phase, stage="Geometry")
    assert drawn(CGC_PT_training).progress[0][1].startswith(said)


def test_another_job_is_named(dataset, job):
    look(bpy.context.scene)
    job(title="Render Masks", arguments=("render",), stage="Rendering", done=1, total=3)
    assert "Render Masks is running" in drawn(CGC_PT_training).text
    shown = drawn(CGC_PT_render_masks)
    assert shown.progress
    assert shown.operators == ["cgc.cancel_training"]


def test_failure_stays_until_it_is_dismissed(dataset, monkeypatch):
    monkeypatch.setenv("CGC_PYTHON", "/nowhere/python")
    with pytest.raises(RuntimeError):
        bpy.ops.cgc.train()
    shown = drawn(CGC_PT_training)
    assert "/nowhere/python" in shown.text
    assert "cgc.dismiss_problem" in shown.operators
    assert bpy.ops.cgc.dismiss_problem() == {"FINISHED"}
    assert "/nowhere/python" not in drawn(CGC_PT_training).text


def test_worker_without_packages_leads_to_the_preferences():
    chosen = Interpreter(Path("/usr/bin/python3"), "named in the preferences", False)
    jobs.keep_worker_report(WorkerReport(chosen, python="3.11", packages={"torch": None}))
    shown = drawn(CGC_PT_training)
    assert "lacks torch" in shown.text
    assert "preferences.addon_show" in shown.operators


def test_a_python_without_the_engine_leads_to_the_preferences():
    sentence = "The Python at /usr/bin/python3 lacks the package 'torch'; choose another."
    jobs.keep_problem(jobs.Problem("CGC_OT_train", sentence))
    assert "preferences.addon_show" in drawn(CGC_PT_training).operators
