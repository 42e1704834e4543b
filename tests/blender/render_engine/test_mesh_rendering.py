# SPDX-License-Identifier: GPL-3.0-or-later
"""Splats and meshes in one picture: each hides the other where it is nearer."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

bpy = pytest.importorskip("bpy")

from cgc_addon.blender.common.access import of_object
from cgc_addon.blender.render_engine import mesh_rendering
from cgc_addon.blender.splats.looks import apply_look_to_scene
from cgc_addon.results.cryptomatte import hash_numbers
from cgc_addon.results.exr import read_exr

from .mesh_stage import (
    BALL_COLOR,
    HEIGHT,
    PIXELS_PER_UNIT,
    WALL,
    WIDTH,
    add_ball,
    add_wall,
    distances,
    read_picture,
    set_stage,
    silhouette,
    write_layers,
)


@pytest.fixture
def stage() -> bpy.types.Scene:
    return set_stage()


@pytest.fixture
def picture(tmp_path: Path) -> Callable[..., np.ndarray]:
    """Return a function that renders and returns what was written (H, W, 4), rows from the top."""

    def picture(operator: Any = None, **options: object) -> np.ndarray:
        scene = bpy.context.scene
        scene.render.filepath = str(tmp_path / "picture.exr")
        (tmp_path / "picture.exr").unlink(missing_ok=True)
        operator = operator or bpy.ops.cgc.render_with_meshes
        assert operator(write_still=True, **options) == {"FINISHED"}
        return read_picture(tmp_path / "picture.exr")

    return picture


def _shows(picture: np.ndarray, color, where: np.ndarray, tolerance: float = 5e-3) -> bool:
    assert where.sum() > 20
    return bool((abs(picture[where, :3] - color) < tolerance).all())


def test_a_ball_before_a_wall_is_seen_and_one_behind_is_not(stage, picture):
    add_wall()
    item = add_ball(2.0)
    before, radius = picture(), silhouette(2.0)
    assert _shows(before, BALL_COLOR, distances() < radius - 2)
    assert _shows(before, WALL, distances() > radius + 2)
    item.location.z = -2.0
    behind = picture()
    assert _shows(behind, WALL, np.ones((HEIGHT, WIDTH), bool))
    assert (behind[..., 3] > 0.99).all()


def test_of_a_ball_half_inside_the_wall_the_cap_is_seen(stage, picture):
    """Its middle is 0.5 behind the wall: the circle that sticks out has the radius √(1 − ¼)."""
    add_wall()
    add_ball(-0.5)
    drawn, cap = picture(), PIXELS_PER_UNIT * np.sqrt(0.75)
    assert cap < silhouette(-0.5) - 0.5
    assert _shows(drawn, BALL_COLOR, distances() < cap - 1.5)
    assert _shows(drawn, WALL, distances() > cap + 1.5)


def test_through_a_thin_wall_the_ball_is_seen_in_part(stage, picture):
    add_wall(3.0, logit=-3.5)
    (alpha,) = np.unique(picture()[16:20, 20:28, 3].round(2))  # even enough in the middle
    assert 0.2 < alpha < 0.9
    add_ball(0.0)
    drawn = picture()
    expected = alpha * WALL + (1 - alpha) * np.array(BALL_COLOR)
    assert _shows(drawn, expected, distances() < silhouette(0.0) - 2, 0.02)
    assert (drawn[distances() < silhouette(0.0) - 2, 3] > 0.999).all()


def test_pixels_at_an_edge_lie_between_as_much_as_the_mesh_covers(stage, picture):
    add_ball(2.0)
    covered = picture(bpy.ops.render.render)[..., 3]
    assert ((covered > 0.1) & (covered < 0.9)).sum() > 30
    add_wall()
    drawn = picture()
    expected = covered[..., None] * np.array(BALL_COLOR) + (1 - covered[..., None]) * WALL
    assert abs(drawn[..., :3] - expected).max() < 0.01


def test_a_shadow_catcher_before_a_wall_brings_shadows_onto_it(stage, picture):
    add_wall()
    bpy.ops.mesh.primitive_plane_add(size=20, location=(0, 0, 0.1))
    bpy.context.object.is_shadow_catcher = True
    sun = bpy.data.objects.new("sun", bpy.data.lights.new("sun", "SUN"))
    sun.rotation_euler.y = 0.6  # shines to the right and down
    stage.collection.objects.link(sun)
    add_ball(1.0)
    drawn = picture()
    beside = distances() > silhouette(1.0) + 2
    left, right = beside.copy(), beside.copy()
    left[:, WIDTH // 2 :] = right[:, : WIDTH // 2] = False
    darkest = drawn[left, 2].min(), drawn[right, 2].min()
    assert max(darkest) == pytest.approx(WALL[2], abs=0.02)
    assert min(darkest) < 0.3 * WALL[2]


def test_without_meshes_the_picture_is_the_plain_one(stage, picture):
    add_wall(logit=0.0)
    drawn = picture()
    stage.render.engine = "CGC_SPLATS"
    assert (picture(bpy.ops.render.render) == drawn).all()
    assert drawn[..., 3].max() > 0.5


def test_without_splats_the_picture_is_that_of_the_meshes(stage, picture):
    add_ball()
    meshes = picture(bpy.ops.render.render)
    np.testing.assert_allclose(picture(), meshes, atol=1e-6)
    assert meshes[..., 3].max() == 1.0


@pytest.mark.parametrize("crop", [False, True])
def test_a_region_is_that_part_of_the_whole(stage, picture, crop):
    add_wall()
    add_ball(-0.5)
    whole = picture()
    render = stage.render
    render.use_border, render.use_crop_to_border = True, crop
    render.border_min_x, render.border_max_x = 0.25, 0.75
    render.border_min_y, render.border_max_y = 0.5, 1.0  # from the bottom
    part = picture()
    part = part if crop else part[:18, 12:36]
    assert part.shape == (18, 24, 4)
    assert abs(part - whole[:18, 12:36]).max() < 0.02  # edges are sampled anew


def test_each_view_layer_has_its_own_meshes(stage, tmp_path):
    add_wall()
    item = add_ball(2.0)
    collection = bpy.data.collections.new("balls")
    stage.collection.children.link(collection)
    stage.collection.objects.unlink(item)
    collection.objects.link(item)
    layer = stage.view_layers.new("Bare")
    layer.layer_collection.children["balls"].exclude = True
    write_layers(stage, tmp_path / "layers.exr")
    assert bpy.ops.cgc.render_with_meshes(write_still=True) == {"FINISHED"}
    channels = read_exr(tmp_path / "layers.exr")
    middle = HEIGHT // 2, WIDTH // 2
    names = [layer.name for layer in stage.view_layers]
    reds = [channels[f"{name}.Combined.R"][middle] for name in names]
    assert reds == pytest.approx([BALL_COLOR[0], WALL[0]], abs=5e-3)


def test_meshes_and_splats_are_in_one_cryptomatte_and_one_index(stage, tmp_path):
    splat, mesh = add_wall(), add_ball(2.0)
    splat.pass_index, mesh.pass_index = 3, 4
    layer = stage.view_layers[0]
    layer.use_pass_object_index = layer.use_pass_cryptomatte_object = True
    write_layers(stage, tmp_path / "layers.exr")
    assert bpy.ops.cgc.render_with_meshes(write_still=True) == {"FINISHED"}
    channels = read_exr(tmp_path / "layers.exr")
    (index,) = (values for name, values in channels.items() if name.endswith(".X"))
    ids = channels[f"{layer.name}.CryptoObject00.r"]
    inside = distances() < silhouette(2.0) - 2
    outside = distances() > silhouette(2.0) + 2
    for where, item in ((inside, mesh), (outside, splat)):
        assert (index[where] == item.pass_index).all()
        assert (ids[where] == hash_numbers([item.name])[0]).all()
    stored = (tmp_path / "layers.exr").read_bytes()
    (manifest,) = re.findall(rb'\{"[^}]*"\}', stored[: stored.index(b"dataWindow")])
    assert json.loads(manifest).keys() == {splat.name, mesh.name}


def test_an_animation_writes_the_files_of_the_scene(stage, tmp_path):
    """The ball comes through the wall, which is hidden in renders from the third frame on."""
    item, hidden = add_ball(-2.0), add_wall()
    item.keyframe_insert("location", frame=1)
    item.location.z = 2.0
    item.keyframe_insert("location", frame=2)
    for frame, value in ((1, False), (2, False), (3, True)):
        hidden.hide_render = value
        hidden.keyframe_insert("hide_render", frame=frame)
    stage.frame_start, stage.frame_end = 1, 3
    stage.frame_set(2)
    stage.render.filepath = str(tmp_path / "out_###.exr")
    assert bpy.ops.cgc.render_with_meshes(animation=True) == {"FINISHED"}
    files = [tmp_path / f"out_{frame:03d}.exr" for frame in (1, 2, 3)]
    assert sorted(tmp_path.glob("*.exr")) == files
    middle = [read_picture(path)[HEIGHT // 2, WIDTH // 2] for path in files]
    np.testing.assert_allclose(middle[0], [*WALL, 1.0], atol=5e-3)
    np.testing.assert_allclose(middle[1], [*BALL_COLOR, 1.0], atol=5e-3)
    corner = [read_picture(path)[0, 0, 3] for path in files]
    assert corner == pytest.approx([1.0, 1.0, 0.0], abs=5e-3)
    assert stage.frame_current == 2


@pytest.mark.parametrize("shape", ["POINTS", "ELLIPSOIDS"])
def test_no_splat_gets_into_the_meshes(stage, picture, monkeypatch, shape):
    """Hidden by a driver or not, placed by geometry nodes: none is drawn twice."""
    item = add_wall()
    item.driver_add("hide_render").driver.expression = "frame < 0"
    placing = bpy.data.objects.new("placing", bpy.data.meshes.new("placing"))
    stage.collection.objects.link(placing)
    tree = bpy.data.node_groups.new("placing", "GeometryNodeTree")
    tree.interface.new_socket("Geometry", in_out="OUTPUT", socket_type="NodeSocketGeometry")
    info = tree.nodes.new("GeometryNodeObjectInfo")
    info.inputs["Object"].default_value = item
    info.inputs["As Instance"].default_value = True
    tree.links.new(info.outputs["Geometry"], tree.nodes.new("NodeGroupOutput").inputs[0])
    placing.modifiers.new("placing", "NODES").node_group = tree
    points = bpy.data.objects.new("points", item.data.copy())
    points.data.attributes.remove(points.data.attributes["rotation"])
    of_object(points).kind = "POINTS"
    stage.collection.objects.link(points)
    stage.cgc.look_shape = shape
    apply_look_to_scene(stage)

    alphas = []

    class Watching(mesh_rendering.MeshScene):
        def close(self) -> None:
            for path in self.pictures.files.values():
                if path.is_file():
                    alphas.append(read_exr(path)["ViewLayer.Combined.A"])
            super().close()

    monkeypatch.setattr(mesh_rendering, "MeshScene", Watching)
    picture()
    assert alphas
    assert all((alpha == 0).all() for alpha in alphas)
