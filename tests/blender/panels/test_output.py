# SPDX-License-Identifier: GPL-3.0-or-later
"""The panels "Render Masks" and "Export": what leaves Blender, and where it is."""

from __future__ import annotations

import pytest

pytest.importorskip("bpy")

import bpy

from cgc_addon.blender.capture.parts import segment_collections
from cgc_addon.blender.common.access import of_collection, of_scene
from cgc_addon.blender.jobs.job import Phase
from cgc_addon.blender.panels.output import CGC_PT_export, CGC_PT_render_masks

from ..recorded_layout import drawn


def test_the_folder_just_written_can_be_opened(job, tmp_path):
    of_scene(bpy.context.scene).mask_folder = str(tmp_path)
    done = {"title": "Render Masks", "arguments": ("render",), "phase": Phase.DONE}
    job(**done, result={"folder": str(tmp_path)})
    assert "wm.path_open" in drawn(CGC_PT_render_masks).operators
    job(**done, result={"folder": "/elsewhere"})
    assert "wm.path_open" not in drawn(CGC_PT_render_masks).operators


def test_hidden_in_the_viewport_only_is_said(segmented):
    bpy.context.view_layer.update()
    first = segment_collections(segmented)[0]
    first.objects[0].hide_set(True)
    assert "so in masks: Segment 001" in " ".join(drawn(CGC_PT_render_masks).texts)
    of_collection(first).shown = False
    assert "so in masks" not in drawn(CGC_PT_render_masks).text


def test_export_offers_three_ways():
    assert drawn(CGC_PT_export).operators == ["cgc.export_splat"] * 3
