# SPDX-License-Identifier: GPL-3.0-or-later
"""Map coordinates do not fit into Blender's numbers; nothing of them is lost all the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("bpy")

import bpy

from cgc_addon.blender.capture.parts import captures, objects_of_kind
from cgc_addon.blender.common.access import of_collection
from cgc_addon.blender.segments.import_run import import_run
from cgc_addon.splats.gaussians import Gaussians
from cgc_addon.splats.ply import read_ply, write_ply

ORIGIN = np.array([500_120.0, 4_649_780.0, 120.0])


def cloud() -> Gaussians:
    values = np.random.default_rng(0)
    return Gaussians(
        means=values.normal(size=(30, 3)).astype(np.float32),
        log_scales=values.normal(-3, 0.5, (30, 3)).astype(np.float32),
        quats=values.normal(size=(30, 4)).astype(np.float32),
        logit_opacities=values.normal(size=30).astype(np.float32),
        sh=values.normal(size=(30, 1, 3)).astype(np.float32),
        segments=np.repeat([1, 2], 15).astype(np.int32),
    )


def test_a_splat_in_doubles_comes_in_near_and_goes_out_where_it_was(tmp_path: Path) -> None:
    write_ply(tmp_path / "site.ply", cloud(), ORIGIN)
    warned: list[str] = []
    context = bpy.context
    import_run(context, context.scene, tmp_path / "site.ply", warn=warned.append)
    assert any("is in map coordinates" in text for text in warned)
    (capture,) = captures(context.scene)
    found = np.array(of_collection(capture).map_origin)
    assert np.abs(found - ORIGIN).max() <= 10.0
    context.view_layer.update()
    for item in objects_of_kind(capture, "SPLAT"):
        assert item.matrix_world.translation.length < 20.0

    bpy.ops.cgc.export_splat(filepath=str(tmp_path / "out.ply"), format="ply", frame="CAPTURE")
    again = read_ply(tmp_path / "out.ply")
    places = again.gaussians.means.astype(np.float64) + again.origin
    np.testing.assert_allclose(places, cloud().means + ORIGIN, atol=1e-5)

    bpy.ops.cgc.export_splat(filepath=str(tmp_path / "near.ply"), format="ply", frame="UPRIGHT")
    assert not read_ply(tmp_path / "near.ply").origin.any()
    assert np.abs(read_ply(tmp_path / "near.ply").gaussians.means).max() < 50.0


def test_what_comes_later_is_in_the_frame_of_what_is_there(tmp_path: Path) -> None:
    """The same file again, whose middle has moved: another origin, the same places."""
    context = bpy.context
    write_ply(tmp_path / "site.ply", cloud(), ORIGIN)
    import_run(context, context.scene, tmp_path / "site.ply")
    (capture,) = captures(context.scene)
    before = np.array(of_collection(capture).map_origin)
    moved = replace(cloud(), means=cloud().means + np.float32([40.0, 0.0, 0.0]))
    write_ply(tmp_path / "site.ply", moved, ORIGIN)
    import_run(context, context.scene, tmp_path / "site.ply")
    np.testing.assert_array_equal(of_collection(capture).map_origin, before)
    bpy.ops.cgc.export_splat(filepath=str(tmp_path / "out.ply"), format="ply", frame="CAPTURE")
    again = read_ply(tmp_path / "out.ply")
    places = again.gaussians.means.astype(np.float64) + again.origin
    np.testing.assert_allclose(places, moved.means + ORIGIN, atol=1e-4)
