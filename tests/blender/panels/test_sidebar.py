# SPDX-License-Identifier: GPL-3.0-or-later
"""Every panel, in every state: it can be drawn, and says what there is and what comes next."""

from __future__ import annotations

import shutil

import pytest

pytest.importorskip("bpy")

import bpy

from cgc_addon.blender.common.access import of_scene
from cgc_addon.blender.panels.dataset import CGC_PT_dataset
from cgc_addon.blender.panels.photo_masks import CGC_PT_photo_masks
from cgc_addon.blender.panels.segments import CGC_PT_segments
from cgc_addon.blender.panels.sidebar import CLASSES
from cgc_addon.blender.panels.training import CGC_PT_training
from cgc_addon.blender.training.dataset_facts import look

from ..recorded_layout import drawn

PANELS = [cls for cls in CLASSES if issubclass(cls, bpy.types.Panel)]


def test_an_empty_scene_says_where_to_begin():
    for panel in PANELS:
        drawn(panel)
    assert "Choose the folder of a capture" in drawn(CGC_PT_dataset).text
    assert "Needs a dataset" in drawn(CGC_PT_training).text
    assert "No segments yet" in drawn(CGC_PT_segments).text


def test_before_the_first_look_at_the_disk(dataset):
    for panel in PANELS:
        drawn(panel)
    assert "Looking" in drawn(CGC_PT_dataset).text


def test_dataset_found_then_imported(dataset):
    look(bpy.context.scene)
    before = drawn(CGC_PT_dataset)
    assert "4 photos" in before.text
    assert "cgc.import_colmap" in before.operators
    assert "4 of 4 photos have label maps" in drawn(CGC_PT_photo_masks).text
    assert bpy.ops.cgc.import_colmap(filepath=str(dataset)) == {"FINISHED"}
    after = drawn(CGC_PT_dataset)
    assert "4 photos, 40 cameras in the scene" in after.text
    assert "cgc.camera_view" in after.operators
    assert "cgc.import_colmap" not in after.operators


def test_without_masks_it_says_what_that_means(dataset):
    shutil.rmtree(dataset / "masks")
    look(bpy.context.scene)
    assert "will not be separated" in drawn(CGC_PT_photo_masks).text
    assert "not separated" in drawn(CGC_PT_training).text


def test_a_folder_that_is_no_dataset(tmp_path):
    of_scene(bpy.context.scene).dataset = str(tmp_path)
    look(bpy.context.scene)
    for panel in PANELS:
        drawn(panel)
    assert "holds no COLMAP model" in drawn(CGC_PT_dataset).text
    assert "cgc.import_colmap" not in drawn(CGC_PT_dataset).operators
