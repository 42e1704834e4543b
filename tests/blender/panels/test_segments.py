# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel "Segments": how many there are."""

from __future__ import annotations

import pytest

pytest.importorskip("bpy")

import bpy

from cgc_addon.blender.jobs import registry as jobs
from cgc_addon.blender.panels.segments import CGC_PT_looks, CGC_PT_segments
from cgc_addon.blender.panels.sidebar import CLASSES
from cgc_addon.blender.splats.objects import has_native

from ..recorded_layout import drawn

PANELS = [cls for cls in CLASSES if issubclass(cls, bpy.types.Panel)]


def test_segments_are_counted(segmented):
    shown = drawn(CGC_PT_segments)
    assert "2 segments of 50 Gaussians, 5 are in none." in shown.text
    assert shown.lists[0][0] == "CGC_UL_segments"
    for panel in PANELS:
        drawn(panel)


def test_looks_are_offered_where_this_blender_has_them(segmented):
    offered = {"look_shape SPLATS", "look_shape POINTS", "look_shape ELLIPSOIDS"}
    native = {"look_shape NATIVE"} if has_native() else set()
    assert set(drawn(CGC_PT_looks).properties) == offered | native | {"look_color", "look_size"}


@pytest.mark.parametrize(
    ("shape", "color", "said"),
    [
        ("SPLATS", "DEPTH", ""),
        ("POINTS", "SEGMENT", ""),
        ("POINTS", "DEPTH", "Only Splats show this"),
        ("ELLIPSOIDS", "FEATURE", "Only Splats show this"),
        ("NATIVE", "OPACITY", "Only Splats show this"),
        ("NATIVE", "PHOTO", "" if has_native() else "come with 5.3"),
        ("NATIVE", "SEGMENT", "show no segments" if has_native() else "come with 5.3"),
    ],
)
def test_what_a_shape_does_not_show_is_said(segmented, shape, color, said):
    settings = bpy.context.scene.cgc
    settings.look_shape, settings.look_color = shape, color
    bpy.context.scene.view_settings.view_transform = "Standard"
    text = drawn(CGC_PT_looks).text
    assert said in text
    assert bool(said) == bool(text.strip())


def test_a_view_transform_that_changes_colours_is_named_beside_its_cure(segmented):
    bpy.context.scene.view_settings.view_transform = "AgX"
    shown = drawn(CGC_PT_looks)
    assert "AgX changes" in shown.text
    assert "cgc.keep_photo_colors" in shown.operators
    bpy.context.scene.view_settings.view_transform = "Standard"
    assert "cgc.keep_photo_colors" not in drawn(CGC_PT_looks).operators


def test_each_shape_offers_what_it_has(segmented):
    settings = bpy.context.scene.cgc
    settings.look_shape = "ELLIPSOIDS"
    assert {"look_size", "look_detail", "look_threshold"} <= set(drawn(CGC_PT_looks).properties)
    settings.look_shape = "POINTS"
    assert "look_size" in drawn(CGC_PT_looks).properties
    assert "look_detail" not in drawn(CGC_PT_looks).properties


def test_while_the_mask_model_is_asked_it_is_shown_in_place_of_the_tools(segmented, job):
    job(arguments=("pick", "/run"), title="Add Object by Click", stage="Asking the mask model",
        done=3, total=9)  # fmt: skip
    shown = drawn(CGC_PT_segments)
    assert shown.progress[0][0] == pytest.approx(1 / 3)
    assert "cgc.cancel_training" in shown.operators
    assert "cgc.pause_training" not in shown.operators
    assert "cgc.merge_segments" not in shown.operators


def test_why_nothing_was_added_is_shown_with_the_cure(segmented):
    sentence = "It is not here; fetch them once with `models --download mobilesam` (45 MB)."
    jobs.keep_problem(jobs.Problem("CGC_OT_add_object", sentence))
    shown = drawn(CGC_PT_segments)
    assert "is not here" in shown.text
    assert "cgc.download_mask_model" in shown.operators
    assert "cgc.merge_segments" in shown.operators
