# SPDX-License-Identifier: GPL-3.0-or-later
"""Scripts and collections of earlier versions export as they did."""

from __future__ import annotations

import pytest

bpy = pytest.importorskip("bpy")

import numpy as np

from cgc_addon.splats.ply import read_ply
from cgc_addon.splats.transform import transform

from ..kitchen import ROOT, assert_close, kitchen


def test_the_operator_exports_and_reports(tmp_path) -> None:
    gaussians = kitchen()
    assert bpy.ops.cgc.export_ply(filepath=str(tmp_path / "a.ply")) == {"FINISHED"}
    back = read_ply(tmp_path / "a.ply").gaussians
    assert_close(back, gaussians)
    np.testing.assert_array_equal(back.features, gaussians.features)
    np.testing.assert_array_equal(back.segments, gaussians.segments)
    path = str(tmp_path / "b.ply")
    assert bpy.ops.cgc.export_ply(filepath=path, frame="WORLD", what="VISIBLE") == {"FINISHED"}
    assert_close(read_ply(tmp_path / "b.ply").gaussians, transform(gaussians, np.array(ROOT)))


def test_hidden_scenes_are_said_to_be(tmp_path) -> None:
    kitchen()
    bpy.data.collections["Kitchen"].hide_viewport = True
    with pytest.raises(RuntimeError, match="no splat to see"):
        bpy.ops.cgc.export_ply(filepath=str(tmp_path / "b.ply"))
    assert not (tmp_path / "b.ply").exists()


def test_collections_of_saved_files_export_with_segments(tmp_path) -> None:
    kitchen()
    chair = bpy.data.collections["Chair"]
    layer = bpy.context.view_layer.layer_collection.children["Kitchen"]
    bpy.context.view_layer.active_layer_collection = layer.children["Chair"]
    assert bpy.ops.collection.exporter_add(name="CGC_FH_export_ply") == {"FINISHED"}
    chair.exporters[0].export_properties.filepath = str(tmp_path / "chair.ply")
    assert bpy.ops.collection.exporter_export(index=0) == {"FINISHED"}
    assert set(read_ply(tmp_path / "chair.ply").gaussians.segments) == {1}
