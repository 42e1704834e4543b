# SPDX-License-Identifier: GPL-3.0-or-later
"""A scene's meshes rendered alone: with depths along the camera's axis, and nothing left behind."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

bpy = pytest.importorskip("bpy")

from cgc_addon.blender.render_engine.camera import Region
from cgc_addon.blender.render_engine.mesh_scene import (
    AS_SCENE,
    CYCLES,
    EEVEE,
    MeshScene,
    engine_for,
)
from cgc_addon.blender.splats.objects import new_splat
from cgc_addon.errors import CgcError
from cgc_addon.results.mesh_layer import MeshLayer, depth_limits, read_mesh_layer

from ..kitchen import random_gaussians

WIDTH, HEIGHT = 64, 48
EEVEE_ENGINE = "BLENDER_EEVEE_NEXT" if bpy.app.version < (5, 0) else "BLENDER_EEVEE"


@pytest.fixture
def plane() -> bpy.types.Scene:
    """Return a scene that looks along y at the left half of the plane y = 4 + x/2."""
    scene = bpy.context.scene
    scene.render.resolution_x, scene.render.resolution_y = WIDTH, HEIGHT
    scene.cycles.samples = 8
    camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    camera.rotation_euler.x = np.pi / 2
    camera.data.angle = np.radians(80)
    camera.scale = 3, 3, 3  # which must not matter
    mesh = bpy.data.meshes.new("plane")
    corners = [(x, 4 + x / 2, z) for x, z in ((-7, -20), (0.3, -20), (0.3, 20), (-7, 20))]
    mesh.from_pydata(corners, [], [range(4)])
    for item in (camera, bpy.data.objects.new("plane", mesh)):
        scene.collection.objects.link(item)
    scene.camera = camera
    return scene


def _render(
    scene: bpy.types.Scene, engine: str, folder: Path, render: Callable[[str], None]
) -> MeshLayer:
    """Render the meshes of a scene and read them as the engine does."""
    meshes = MeshScene(scene, engine, folder, animation=False)
    try:
        render(meshes.name)
    finally:
        meshes.close()
    assert meshes.pictures.missing() == []
    layer, region = scene.view_layers[0], Region(0, 0, WIDTH, HEIGHT)
    file = meshes.pictures.file_of(scene, layer, scene.camera, region)
    assert file is not None
    return read_mesh_layer(file, WIDTH, HEIGHT)


def _check_depths(layer: MeshLayer) -> None:
    focal = WIDTH / 2 / np.tan(np.radians(40))
    slope = (np.arange(WIDTH) + 0.5 - WIDTH / 2) / focal
    along_axis = np.broadcast_to(4 / (1 - slope / 2), (HEIGHT, WIDTH))
    covered = layer.rgba[..., 3] > 0.999
    assert 0.3 < covered.mean() < 0.7
    np.testing.assert_allclose(layer.depth[covered], along_axis[covered], rtol=3e-3)
    limits = depth_limits(layer)
    edge = (layer.rgba[..., 3] > 0) & ~covered
    assert edge.sum() >= HEIGHT // 2
    np.testing.assert_allclose(limits[edge], along_axis[edge], rtol=0.05)
    assert np.isinf(limits[layer.rgba[..., 3] == 0]).all()


def test_depths_of_cycles_are_along_the_axis(plane, tmp_path):
    def render(name: str) -> None:
        bpy.ops.render.render(scene=name, write_still=True)

    _check_depths(_render(plane, "CYCLES", tmp_path, render))


@pytest.mark.slow
def test_depths_of_eevee_are_along_the_axis(plane, tmp_path):
    """Rendered in a Blender of its own, since one without a graphics driver dies of EEVEE."""

    def render(name: str) -> None:
        blend = str(tmp_path / "plane.blend")
        bpy.data.scenes[name].use_fake_user = True  # else it would not be saved
        bpy.ops.wm.save_as_mainfile(filepath=blend, copy=True)
        program = "import bpy, sys; bpy.ops.wm.open_mainfile(filepath=sys.argv[1]); "
        program += "bpy.ops.render.render(scene=sys.argv[2], write_still=True)"
        command = [sys.executable, "-c", program, blend, name]
        result = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        if result.returncode < 0:
            pytest.skip("needs a graphics driver, such as Mesa")
        assert result.returncode == 0, result.stderr

    plane.eevee.taa_render_samples = 8
    _check_depths(_render(plane, EEVEE_ENGINE, tmp_path, render))


@pytest.mark.parametrize(
    ("own", "choice", "expected"),
    [
        ("CYCLES", AS_SCENE, "CYCLES"),
        (EEVEE_ENGINE, AS_SCENE, EEVEE_ENGINE),
        ("CGC_SPLATS", AS_SCENE, EEVEE_ENGINE),
        ("BLENDER_WORKBENCH", AS_SCENE, EEVEE_ENGINE),
        ("CYCLES", EEVEE, EEVEE_ENGINE),
        ("CGC_SPLATS", CYCLES, "CYCLES"),
    ],
)
def test_meshes_are_rendered_by_what_is_asked_for(own, choice, expected):
    bpy.context.scene.render.engine = own
    assert engine_for(bpy.context.scene, choice) == expected


def test_an_engine_that_is_missing_is_said_and_leaves_no_copy(plane, tmp_path):
    with pytest.raises(CgcError, match="no engine LUXCORE"):
        MeshScene(plane, "LUXCORE", tmp_path, animation=False)
    assert list(bpy.data.scenes) == [plane]


@pytest.fixture
def splat(plane) -> Callable[[], bpy.types.Object]:
    """Return a function that adds a splat."""

    def add() -> bpy.types.Object:
        index = np.arange(10, dtype=np.int32)
        item = new_splat("splat", random_gaussians(10), index, index)
        plane.collection.objects.link(item)
        return item

    return add


def _hidden_at(item: bpy.types.Object, frame: int) -> bool:
    scene = bpy.context.scene
    scene.frame_set(frame)
    return item.evaluated_get(bpy.context.evaluated_depsgraph_get()).hide_render


def test_splats_stay_hidden_whatever_says_otherwise(plane, splat, tmp_path):
    keyed, driven, layered = splat(), splat(), splat()
    for item in (keyed, layered):
        for frame, hidden in ((1, True), (2, False)):
            item.hide_render = hidden
            item.keyframe_insert("hide_render", frame=frame)
    track = layered.animation_data.nla_tracks.new()
    track.strips.new("strip", 1, layered.animation_data.action)
    layered.animation_data.action = None
    driven.driver_add("hide_render").driver.expression = "frame < 2"
    items = (keyed, driven, layered)
    assert [_hidden_at(item, 2) for item in items] == [False] * 3
    meshes = MeshScene(plane, "CYCLES", tmp_path, animation=False)
    assert [_hidden_at(item, 2) for item in items] == [True] * 3
    meshes.close()
    meshes.close()
    assert [_hidden_at(item, 1) for item in items] == [True] * 3
    assert [_hidden_at(item, 2) for item in items] == [False] * 3


def test_objects_that_are_gone_meanwhile_do_no_harm(plane, splat, tmp_path):
    gone, stays = splat(), splat()
    gone.keyframe_insert("hide_render", frame=1)
    meshes = MeshScene(plane, "CYCLES", tmp_path, animation=False)
    bpy.data.objects.remove(gone)
    bpy.data.scenes.remove(bpy.data.scenes[meshes.name])
    meshes.close()
    assert not stays.hide_render


def test_pictures_that_do_not_fit_on_the_disk_are_not_begun(plane, tmp_path):
    plane.render.resolution_x = plane.render.resolution_y = 20_000
    plane.frame_end = 100_000
    with pytest.raises(CgcError, match=r"100000 frames may need 480000\.0 GB"):
        MeshScene(plane, "CYCLES", tmp_path, animation=True)
    assert list(bpy.data.scenes) == [plane]


def test_an_animation_has_a_file_for_each_frame(plane, tmp_path):
    plane.frame_start, plane.frame_end, plane.frame_step = 2, 10, 4
    meshes = MeshScene(plane, "CYCLES", tmp_path, animation=True)
    bpy.ops.render.render(scene=meshes.name, animation=True)
    meshes.close()
    assert list(meshes.pictures.files) == [2, 6, 10]
    assert meshes.pictures.missing() == []
    assert sorted(tmp_path.iterdir()) == sorted(meshes.pictures.files.values())
