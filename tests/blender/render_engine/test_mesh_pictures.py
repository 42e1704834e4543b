# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine finds the picture of its scene, frame, layer and region."""

from __future__ import annotations

from pathlib import Path

import pytest

bpy = pytest.importorskip("bpy")

from cgc_addon.blender.render_engine.camera import Region
from cgc_addon.blender.render_engine.mesh_pictures import MeshPictures
from cgc_addon.errors import CgcError
from cgc_addon.results.mesh_layer import MeshFile

REGION = Region(left=7, top=5, width=20, height=10)


@pytest.fixture
def camera() -> bpy.types.Object:
    camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    camera.data.clip_end = 50.0
    return camera


@pytest.mark.parametrize(("crop", "corner"), [(False, (7, 5)), (True, (0, 0))])
def test_a_picture_is_found_by_its_frame_and_cut_where_it_is_whole(camera, crop, corner):
    scene = bpy.context.scene
    scene.frame_set(3)
    scene.render.use_border, scene.render.use_crop_to_border = True, crop
    pictures = MeshPictures(scene.name_full, {2: Path("2.exr"), 3: Path("3.exr")})
    found = pictures.file_of(scene, scene.view_layers[0], camera, REGION)
    assert found == MeshFile(Path("3.exr"), scene.view_layers[0].name, 50.0, corner)


def test_another_scene_has_no_meshes(camera):
    scene = bpy.context.scene
    pictures = MeshPictures("another", {scene.frame_current: Path("1.exr")})
    assert pictures.file_of(scene, scene.view_layers[0], camera, REGION) is None


def test_a_frame_that_was_not_rendered_is_said(camera, tmp_path):
    scene = bpy.context.scene
    scene.frame_set(8)
    (tmp_path / "7.exr").touch()
    pictures = MeshPictures(scene.name_full, {7: tmp_path / "7.exr", 9: tmp_path / "9.exr"})
    with pytest.raises(CgcError, match="frame 8"):
        pictures.file_of(scene, scene.view_layers[0], camera, REGION)
    assert pictures.missing() == [9]
