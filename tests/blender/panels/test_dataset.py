# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel "Dataset": where work begins, and how it goes on."""

from __future__ import annotations

import pytest

pytest.importorskip("bpy")

import bpy

from cgc_addon.blender.capture.files import dataset_of as capture_dataset
from cgc_addon.blender.capture.parts import new_capture
from cgc_addon.blender.common.access import of_collection, of_scene
from cgc_addon.blender.jobs.job import Phase
from cgc_addon.blender.panels.dataset import CGC_PT_dataset
from cgc_addon.blender.training.dataset_facts import look
from cgc_addon.blender.training.plan import plan_training
from cgc_addon.files import write_json

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


def test_photos_without_a_place_are_counted_and_named(dataset):
    names = [f"IMG_{number}.jpg" for number in range(7)]
    write_json(dataset / "solve.json", {"unregistered": names})
    assert look(bpy.context.scene).unplaced == tuple(names)
    text = drawn(CGC_PT_dataset).text
    assert "7 of 11 photos could not be placed" in text
    assert "IMG_0.jpg, IMG_1.jpg" in text
    assert "and 2 more" in text
    (dataset / "solve.json").write_text("[]")
    assert look(bpy.context.scene).unplaced == ()
    assert "could not be placed" not in drawn(CGC_PT_dataset).text


@pytest.mark.parametrize("below", ["sparse", "sparse/0"])
def test_the_folder_of_the_cameras_means_the_dataset(dataset, below):
    bpy.context.scene.cgc.dataset = str(dataset / below)
    assert look(bpy.context.scene).photos == 4
    plan = plan_training(bpy.context.scene)
    assert plan.dataset == dataset
    assert plan.run.name == "desk_run"
    assert capture_dataset(dataset / below) == dataset


def test_a_missing_model_sends_nobody_to_a_command_line(tmp_path):
    bpy.context.scene.cgc.dataset = str(tmp_path)
    assert "begin with From Photos" in look(bpy.context.scene).problem
    assert "`solve`" not in drawn(CGC_PT_dataset).text
