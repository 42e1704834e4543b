# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel "Dataset": where work begins, and how it goes on."""

from __future__ import annotations

import pytest

pytest.importorskip("bpy")

import bpy

from cgc_addon.blender.capture.parts import new_capture
from cgc_addon.blender.common.access import of_collection, of_scene
from cgc_addon.blender.jobs.job import Phase
from cgc_addon.blender.panels.dataset import CGC_PT_dataset

from ..recorded_layout import drawn


def test_photos_are_where_an_empty_scene_begins(job):
    assert "cgc.from_photos" in drawn(CGC_PT_dataset).operators
    arguments = ("from-photos", "/photos", "-o", "/desk_dataset", "--run", "/run")
    job(title="Splat from Photos", arguments=arguments, stage="Matching", done=3, total=9,
        overall=0.25, seconds_left=90.0)  # fmt: skip
    running = drawn(CGC_PT_dataset)
    assert running.progress == [(0.25, "25%  ·  2 min left")]
    assert "Matching  ·  3 / 9" in running.text
    assert {"cgc.pause_training", "cgc.stop_training", "cgc.cancel_training"} <= set(
        running.operators
    )
    assert "cgc.from_photos" not in running.operators


def test_what_photos_began_can_be_resumed(job):
    arguments = ("from-photos", "/photos", "-o", "/desk_dataset", "--run", "/run")
    job(arguments=arguments, phase=Phase.FAILED, error="No.")
    after = drawn(CGC_PT_dataset)
    assert "desk_dataset was begun from photos" in after.text
    assert "cgc.resume_from_photos" in after.operators
    of_scene(bpy.context.scene).dataset = "/another"
    assert "cgc.resume_from_photos" not in drawn(CGC_PT_dataset).operators
    of_scene(bpy.context.scene).dataset = ""
    job(arguments=arguments, phase=Phase.DONE)
    assert "cgc.resume_from_photos" not in drawn(CGC_PT_dataset).operators


def test_what_a_later_version_saved_is_said():
    capture = new_capture(bpy.context.scene, "desk", None)
    assert "later version" not in drawn(CGC_PT_dataset).text
    of_collection(capture).version = 99
    assert "The capture desk was saved by a later version" in drawn(CGC_PT_dataset).text
