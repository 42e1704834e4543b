# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel "Masks": how many photos have masks, and how to get those that lack."""

from __future__ import annotations

import pytest

pytest.importorskip("bpy")

import bpy

from cgc_addon.blender.jobs import registry as jobs
from cgc_addon.blender.panels.photo_masks import CGC_PT_photo_masks
from cgc_addon.blender.training.dataset_facts import look

from ..recorded_layout import drawn


def test_some_label_maps_missing_and_some_of_no_photo(dataset):
    maps = sorted((dataset / "masks").iterdir())
    maps[0].rename(dataset / "masks" / "other.png")
    look(bpy.context.scene)
    text = drawn(CGC_PT_photo_masks).text
    assert "3 of 4 photos" in text
    assert "In masks/, belonging to no photo: 1." in text


def test_weights_that_are_missing_can_be_downloaded(dataset, monkeypatch, tmp_path):
    monkeypatch.setenv("CGC_MODELS", str(tmp_path))
    for file in (dataset / "masks").iterdir():
        file.unlink()
    look(bpy.context.scene)
    panel = drawn(CGC_PT_photo_masks)
    assert "MobileSAM is not on this machine" in panel.text
    assert "Download MobileSAM (45 MB)" in panel.text
    assert {"cgc.make_masks", "cgc.import_masks"} <= set(panel.operators)
    sentence = "The weights are missing; fetch them with `models --download vit_b` (375 MB)."
    jobs.keep_problem(jobs.Problem("CGC_OT_make_masks", sentence))
    assert "Download SAM ViT-B (375 MB)" in drawn(CGC_PT_photo_masks).text


def test_masks_that_are_all_there_are_not_made_again_by_accident(dataset):
    look(bpy.context.scene)
    assert "Make Masks Anew…" in drawn(CGC_PT_photo_masks).text
    next((dataset / "masks").iterdir()).unlink()
    look(bpy.context.scene)
    assert "Make Masks Anew…" not in drawn(CGC_PT_photo_masks).text
