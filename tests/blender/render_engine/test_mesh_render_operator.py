# SPDX-License-Identifier: GPL-3.0-or-later
"""Splats and meshes in one picture: rendered by Blender, drawn by the worker, and nothing left."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

bpy = pytest.importorskip("bpy")

from cgc_addon.blender.common.display_attributes import linear_from_srgb
from cgc_addon.blender.render_engine import mesh_render_operator
from cgc_addon.blender.render_engine.mesh_pictures import MeshPictures
from cgc_addon.blender.render_engine.mesh_render_operator import TwoRenders
from cgc_addon.blender.render_engine.render_worker import render_worker
from cgc_addon.blender.splats.objects import new_splat
from cgc_addon.results.cryptomatte import hash_numbers
from cgc_addon.results.exr import read_exr
from cgc_addon.splats.gaussians import Gaussians
from cgc_addon.splats.spherical_harmonics import CONSTANT_BASIS

WIDTH, HEIGHT = 48, 36
PIXELS_PER_UNIT = 50.0 / 36.0 * WIDTH / 6.0
"""At z = 0: the lens has 50 of the sensor's 36 mm, and the camera is 6 units above."""
WALL_COLOR, BALL_COLOR = (0.2, 0.4, 0.9), (0.7, 0.2, 0.05)
WALL = linear_from_srgb(np.array(WALL_COLOR))


@pytest.fixture
def stage() -> bpy.types.Scene:
    """Return a scene that Cycles renders, seen from z = 6, with a world that is black."""
    scene = bpy.context.scene
    render = scene.render
    render.engine = "CYCLES"
    scene.cycles.samples, scene.cycles.use_denoising = 16, False
    scene.cycles.use_adaptive_sampling = False
    render.resolution_x, render.resolution_y = WIDTH, HEIGHT
    render.film_transparent = True
    render.dither_intensity = 0.0
    camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    camera.location.z = 6.0
    scene.collection.objects.link(camera)
    scene.camera = camera
    if hasattr(render.image_settings, "media_type"):
        render.image_settings.media_type = "IMAGE"
    render.image_settings.file_format = "OPEN_EXR"
    render.image_settings.color_mode = "RGBA"
    render.image_settings.color_depth = "32"
    render.image_settings.exr_codec = "ZIP"
    return scene


@pytest.fixture
def wall() -> Callable[..., bpy.types.Object]:
    """Return a function that adds a wall of Gaussians of one colour, facing the camera."""

    def add(height: float = 0.0, logit: float = 8.0) -> bpy.types.Object:
        x, y = np.meshgrid(np.arange(-3.5, 3.6, 0.1), np.arange(-3, 3.1, 0.1))
        count = x.size
        constant = (np.array(WALL_COLOR) - 0.5) / CONSTANT_BASIS
        gaussians = Gaussians(
            means=np.stack([x.ravel(), y.ravel(), np.zeros(count)], axis=1).astype(np.float32),
            log_scales=np.tile(np.log([0.2, 0.2, 1e-4]), (count, 1)).astype(np.float32),
            quats=np.tile([1.0, 0.0, 0.0, 0.0], (count, 1)).astype(np.float32),
            logit_opacities=np.full(count, logit, np.float32),
            sh=np.tile(constant, (count, 1, 1)).astype(np.float32),
        )
        index = np.arange(count, dtype=np.int32)
        item = new_splat("wall", gaussians, index, index)
        item.location.z = height
        bpy.context.scene.collection.objects.link(item)
        return item

    return add


@pytest.fixture
def ball() -> Callable[..., bpy.types.Object]:
    """Return a function that adds a shining ball of radius 1."""

    def add(height: float = 0.0) -> bpy.types.Object:
        bpy.ops.mesh.primitive_uv_sphere_add(segments=64, ring_count=32, radius=1.0)
        item = bpy.context.object
        item.location.z = height
        item.data.materials.append(_shining(BALL_COLOR))
        return item

    return add


def _shining(color: tuple[float, float, float]) -> bpy.types.Material:
    material = bpy.data.materials.new("shining")
    if material.node_tree is None:  # from 5.0 on it is always there
        material.use_nodes = True
    nodes = material.node_tree.nodes
    nodes.clear()
    emission, output = (nodes.new(f"ShaderNode{name}") for name in ("Emission", "OutputMaterial"))
    emission.inputs["Color"].default_value = (*color, 1.0)
    material.node_tree.links.new(emission.outputs[0], output.inputs["Surface"])
    return material


@pytest.fixture
def picture(tmp_path: Path) -> Callable[..., np.ndarray]:
    """Return a function that renders and returns what was written (H, W, 4), rows from the top."""

    def picture(operator: Any = None, **options: object) -> np.ndarray:
        scene = bpy.context.scene
        scene.render.filepath = str(tmp_path / "picture.exr")
        (tmp_path / "picture.exr").unlink(missing_ok=True)
        operator = operator or bpy.ops.cgc.render_with_meshes
        assert operator(write_still=True, **options) == {"FINISHED"}
        return _read(tmp_path / "picture.exr")

    return picture


def _read(path: Path) -> np.ndarray:
    channels = read_exr(path)
    return np.dstack([channels[name] for name in "RGBA"])


def _distances() -> np.ndarray:
    """Return how far each pixel is from the middle of the picture, px."""
    y, x = np.mgrid[:HEIGHT, :WIDTH] + 0.5
    return np.hypot(x - WIDTH / 2, y - HEIGHT / 2)


def _silhouette(height: float) -> float:
    """Return the radius of a ball's outline, px: of the cone around it from the camera."""
    return PIXELS_PER_UNIT * 6.0 / np.sqrt((6.0 - height) ** 2 - 1.0)


def _shows(picture: np.ndarray, color, where: np.ndarray, tolerance: float = 5e-3) -> bool:
    assert where.sum() > 20
    return bool((abs(picture[where, :3] - color) < tolerance).all())


def test_a_ball_before_a_wall_is_seen_and_one_behind_is_not(stage, wall, ball, picture):
    wall()
    item = ball(2.0)
    before, radius = picture(), _silhouette(2.0)
    assert _shows(before, BALL_COLOR, _distances() < radius - 2)
    assert _shows(before, WALL, _distances() > radius + 2)
    item.location.z = -2.0
    behind = picture()
    assert _shows(behind, WALL, np.ones((HEIGHT, WIDTH), bool))
    assert (behind[..., 3] > 0.99).all()


def test_of_a_ball_half_inside_the_wall_the_cap_is_seen(stage, wall, ball, picture):
    """Its middle is 0.5 behind the wall: the circle that sticks out has the radius √(1 − ¼)."""
    wall()
    ball(-0.5)
    drawn, cap = picture(), PIXELS_PER_UNIT * np.sqrt(0.75)
    assert cap < _silhouette(-0.5) - 0.5
    assert _shows(drawn, BALL_COLOR, _distances() < cap - 1.5)
    assert _shows(drawn, WALL, _distances() > cap + 1.5)


def test_through_a_thin_wall_the_ball_is_seen_in_part(stage, wall, ball, picture):
    wall(3.0, logit=-3.5)
    (alpha,) = np.unique(picture()[16:20, 20:28, 3].round(2))  # even enough in the middle
    assert 0.2 < alpha < 0.9
    ball(0.0)
    drawn = picture()
    expected = alpha * WALL + (1 - alpha) * np.array(BALL_COLOR)
    assert _shows(drawn, expected, _distances() < _silhouette(0.0) - 2, 0.02)
    assert (drawn[_distances() < _silhouette(0.0) - 2, 3] > 0.999).all()


def test_pixels_at_an_edge_lie_between_as_much_as_the_mesh_covers(stage, wall, ball, picture):
    ball(2.0)
    covered = picture(bpy.ops.render.render)[..., 3]
    assert ((covered > 0.1) & (covered < 0.9)).sum() > 30
    wall()
    drawn = picture()
    expected = covered[..., None] * np.array(BALL_COLOR) + (1 - covered[..., None]) * WALL
    assert abs(drawn[..., :3] - expected).max() < 0.01


def test_a_shadow_catcher_before_a_wall_brings_shadows_onto_it(stage, wall, ball, picture):
    wall()
    bpy.ops.mesh.primitive_plane_add(size=20, location=(0, 0, 0.1))
    bpy.context.object.is_shadow_catcher = True
    sun = bpy.data.objects.new("sun", bpy.data.lights.new("sun", "SUN"))
    sun.rotation_euler.y = 0.6  # shines to the right and down
    stage.collection.objects.link(sun)
    ball(1.0)
    drawn = picture()
    beside = _distances() > _silhouette(1.0) + 2
    left, right = beside.copy(), beside.copy()
    left[:, WIDTH // 2 :] = right[:, : WIDTH // 2] = False
    darkest = drawn[left, 2].min(), drawn[right, 2].min()
    assert max(darkest) == pytest.approx(WALL[2], abs=0.02)
    assert min(darkest) < 0.3 * WALL[2]


def test_without_meshes_the_picture_is_the_plain_one(stage, wall, picture):
    wall(logit=0.0)
    drawn = picture()
    stage.render.engine = "CGC_SPLATS"
    assert (picture(bpy.ops.render.render) == drawn).all()
    assert drawn[..., 3].max() > 0.5


def test_without_splats_the_picture_is_that_of_the_meshes(stage, ball, picture):
    ball()
    meshes = picture(bpy.ops.render.render)
    np.testing.assert_allclose(picture(), meshes, atol=1e-6)
    assert meshes[..., 3].max() == 1.0


@pytest.mark.parametrize("crop", [False, True])
def test_a_region_is_that_part_of_the_whole(stage, wall, ball, picture, crop):
    wall()
    ball(-0.5)
    whole = picture()
    render = stage.render
    render.use_border, render.use_crop_to_border = True, crop
    render.border_min_x, render.border_max_x = 0.25, 0.75
    render.border_min_y, render.border_max_y = 0.5, 1.0  # from the bottom
    part = picture()
    part = part if crop else part[:18, 12:36]
    assert part.shape == (18, 24, 4)
    assert abs(part - whole[:18, 12:36]).max() < 0.02  # edges are sampled anew


def test_each_view_layer_has_its_own_meshes(stage, wall, ball, tmp_path):
    wall()
    item = ball(2.0)
    collection = bpy.data.collections.new("balls")
    stage.collection.children.link(collection)
    stage.collection.objects.unlink(item)
    collection.objects.link(item)
    layer = stage.view_layers.new("Bare")
    layer.layer_collection.children["balls"].exclude = True
    settings = stage.render.image_settings
    if hasattr(settings, "media_type"):
        settings.media_type = "MULTI_LAYER_IMAGE"
        settings.use_exr_interleave = True
    settings.file_format = "OPEN_EXR_MULTILAYER"
    settings.exr_codec = "ZIP"
    stage.render.filepath = str(tmp_path / "layers.exr")
    assert bpy.ops.cgc.render_with_meshes(write_still=True) == {"FINISHED"}
    channels = read_exr(tmp_path / "layers.exr")
    middle = HEIGHT // 2, WIDTH // 2
    names = [layer.name for layer in stage.view_layers]
    reds = [channels[f"{name}.Combined.R"][middle] for name in names]
    assert reds == pytest.approx([BALL_COLOR[0], WALL[0]], abs=5e-3)


def test_meshes_and_splats_are_in_one_cryptomatte_and_one_index(stage, wall, ball, tmp_path):
    splat, mesh = wall(), ball(2.0)
    splat.pass_index, mesh.pass_index = 3, 4
    layer = stage.view_layers[0]
    layer.use_pass_object_index = layer.use_pass_cryptomatte_object = True
    settings = stage.render.image_settings
    if hasattr(settings, "media_type"):
        settings.media_type = "MULTI_LAYER_IMAGE"
        settings.use_exr_interleave = True
    settings.file_format = "OPEN_EXR_MULTILAYER"
    settings.exr_codec = "ZIP"
    stage.render.filepath = str(tmp_path / "layers.exr")
    assert bpy.ops.cgc.render_with_meshes(write_still=True) == {"FINISHED"}
    channels = read_exr(tmp_path / "layers.exr")
    (index,) = (values for name, values in channels.items() if name.endswith(".X"))
    ids = channels[f"{layer.name}.CryptoObject00.r"]
    inside = _distances() < _silhouette(2.0) - 2
    outside = _distances() > _silhouette(2.0) + 2
    for where, item in ((inside, mesh), (outside, splat)):
        assert (index[where] == item.pass_index).all()
        assert (ids[where] == hash_numbers([item.name])[0]).all()
    stored = (tmp_path / "layers.exr").read_bytes()
    (manifest,) = re.findall(rb'\{"[^}]*"\}', stored[: stored.index(b"dataWindow")])
    assert json.loads(manifest).keys() == {splat.name, mesh.name}


def test_an_animation_writes_the_files_of_the_scene(stage, wall, ball, tmp_path):
    """The ball comes through the wall, which is hidden in renders from the third frame on."""
    item, hidden = ball(-2.0), wall()
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
    middle = [_read(path)[HEIGHT // 2, WIDTH // 2] for path in files]
    np.testing.assert_allclose(middle[0], [*WALL, 1.0], atol=5e-3)
    np.testing.assert_allclose(middle[1], [*BALL_COLOR, 1.0], atol=5e-3)
    corner = [_read(path)[0, 0, 3] for path in files]
    assert corner == pytest.approx([1.0, 1.0, 0.0], abs=5e-3)
    assert stage.frame_current == 2


@pytest.mark.parametrize("shape", ["POINTS", "ELLIPSOIDS"])
def test_no_splat_gets_into_the_meshes(stage, wall, picture, monkeypatch, shape):
    """Hidden by a driver or not, placed by geometry nodes: none is drawn twice."""
    from cgc_addon.blender.common.access import of_object
    from cgc_addon.blender.render_engine import mesh_rendering
    from cgc_addon.blender.splats.looks import apply_look_to_scene

    item = wall()
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


def _state() -> list[object]:
    """Return all that a render might leave changed."""
    found: list[object] = [
        sorted(
            (one.id_type, one.name_full) for one in bpy.data.user_map() if one.id_type != "IMAGE"
        )
    ]
    for scene in bpy.data.scenes:
        render = scene.render
        for owner in (render, render.image_settings, *scene.view_layers):
            for name, prop in owner.bl_rna.properties.items():
                if prop.type in {"BOOLEAN", "INT", "FLOAT", "ENUM", "STRING"}:
                    value = getattr(owner, name)
                    found.append((name, tuple(value) if hasattr(value, "__len__") else value))
    for item in bpy.data.objects:
        shown = [name for name in dir(item) if name.startswith(("visible_", "hide_"))]
        found += [(item.name, n, getattr(item, n)) for n in shown if not callable(getattr(item, n))]
        if item.animation_data is not None:
            found += [(item.name, curve.mute) for curve in item.animation_data.drivers]
    found += [camera.dof.use_dof for camera in bpy.data.cameras]
    return [*found, render_worker().meshes]


@pytest.fixture
def touchy(stage, wall, ball) -> bpy.types.Scene:
    """Return a scene with all that is changed for a moment."""
    wall()
    hidden = wall(1.0)
    hidden.hide_render, hidden.visible_shadow = True, False
    wall(2.0).driver_add("hide_render").driver.expression = "frame < 0"
    ball()
    stage.camera.data.dof.use_dof = True
    stage.render.use_motion_blur = True
    stage.render.film_transparent = False
    return stage


def test_everything_is_as_before(touchy, picture):
    touchy.render.filepath = ""
    before = _state()
    assert bpy.ops.cgc.render_with_meshes() == {"FINISHED"}
    assert _state() == before


def test_what_was_cancelled_leaves_everything_as_before(touchy, monkeypatch, tmp_path):
    monkeypatch.setattr(MeshPictures, "missing", lambda _self: [1])
    touchy.render.filepath = str(tmp_path / "picture.exr")
    before = _state()
    assert bpy.ops.cgc.render_with_meshes(write_still=True) == {"CANCELLED"}
    assert _state() == before
    assert list(tmp_path.iterdir()) == []


def test_splats_that_cannot_be_drawn_are_said_and_leave_everything_as_before(touchy, monkeypatch):
    render_worker().close()
    monkeypatch.setenv("CGC_PYTHON", "/nowhere/python")
    before = _state()
    with pytest.raises(RuntimeError, match="/nowhere/python"):
        bpy.ops.cgc.render_with_meshes()
    assert _state() == before


def test_what_cannot_be_rendered_is_said_at_once(touchy):
    before = _state()
    touchy.camera.data.type = "ORTHO"
    with pytest.raises(RuntimeError, match="no perspective camera"):
        bpy.ops.cgc.render_with_meshes()
    touchy.camera.data.type = "PERSP"
    camera, touchy.camera = touchy.camera, None
    with pytest.raises(RuntimeError, match="has no camera"):
        bpy.ops.cgc.render_with_meshes()
    touchy.camera = camera
    assert _state() == before


class Window:
    """Stands for Blender's window: remembers timers and the status bar."""

    def __init__(self) -> None:
        self.timers: list[object] = []
        self.status: list[str | None] = []
        self.window = self.window_manager = self
        self.workspace = SimpleNamespace(status_text_set=self.status.append)
        self.scene = bpy.context.scene

    def event_timer_add(self, _seconds: float, *, window: object) -> object:
        self.timers.append(object())
        return self.timers[-1]

    def event_timer_remove(self, timer: object) -> None:
        self.timers.remove(timer)

    def modal_handler_add(self, _operator: object) -> bool:
        return True


class InWindow(TwoRenders):
    """The operator in a window: a render that it starts runs until the test lets it end."""

    bl_label = "Render Splats and Meshes"

    def __init__(self) -> None:
        self.animation, self.write_still, self.engine = False, True, "CYCLES"
        self.reports: list[tuple[set[str], str]] = []
        self.started: list[tuple[str, bool, str]] = []

    def report(self, kind: set[str], text: str) -> None:
        self.reports.append((kind, text))

    def _render(self, how: str, rendering: Any, *, write_still: bool) -> None:
        self.started.append((how, write_still, rendering.scene_name))

    def end(self) -> None:
        """Do what Blender does until the render has ended."""
        _how, write_still, scene = self.started[-1]
        bpy.ops.render.render(scene=scene, write_still=write_still)


TICK, MOUSE = SimpleNamespace(type="TIMER"), SimpleNamespace(type="MOUSEMOVE")


@pytest.fixture
def running(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Return a list whose only entry says whether a render runs."""
    runs = [True]
    monkeypatch.setattr(mesh_render_operator, "a_render_runs", lambda: runs[0])
    return runs


def test_in_a_window_one_render_follows_the_other(touchy, running, tmp_path):
    touchy.render.filepath = str(tmp_path / "picture.exr")
    before, window, operator = _state(), Window(), InWindow()
    assert operator.start_modal(window) == {"RUNNING_MODAL"}
    assert operator.started == [("INVOKE_DEFAULT", True, "Scene Meshes")]
    assert bpy.data.scenes["Scene Meshes"].render.use_lock_interface
    assert operator.modal(window, TICK) == {"PASS_THROUGH"}
    operator.end()
    running[0] = False
    assert operator.modal(window, MOUSE) == {"PASS_THROUGH"}
    assert len(operator.started) == 1
    assert operator.modal(window, TICK) == {"PASS_THROUGH"}
    assert operator.started[1:] == [("INVOKE_DEFAULT", True, "Scene")]
    assert touchy.render.engine == "CGC_SPLATS"
    assert touchy.render.use_lock_interface
    operator.end()
    assert operator.modal(window, TICK) == {"FINISHED"}
    assert _state() == before
    assert window.timers == []
    assert window.status == ["Meshes are rendered; Esc cancels", "Splats are drawn; Esc cancels"]
    middle = _read(tmp_path / "picture.exr")[HEIGHT // 2, WIDTH // 2]
    np.testing.assert_allclose(middle, [*WALL, 1.0], atol=5e-3)  # of the nearest wall
    assert operator.reports == []


def test_esc_while_meshes_are_rendered_ends_it_all(touchy, running):
    before, window, operator = _state(), Window(), InWindow()
    operator.start_modal(window)
    running[0] = False  # and nothing was written
    assert operator.modal(window, TICK) == {"CANCELLED"}
    assert len(operator.started) == 1
    assert operator.reports == [({"WARNING"}, "Render Splats and Meshes was cancelled")]
    assert _state() == before
    assert window.timers == []


@pytest.mark.parametrize("renders", [0, 1])
def test_a_window_that_is_closed_meanwhile_leaves_everything_as_before(touchy, running, renders):
    before, window, operator = _state(), Window(), InWindow()
    operator.start_modal(window)
    if renders:
        operator.end()
        running[0] = False
        operator.modal(window, TICK)
    operator.cancel(window)
    assert _state() == before
    assert window.timers == []


def test_what_a_window_cannot_render_is_said(touchy):
    touchy.camera = None
    window, operator = Window(), InWindow()
    assert operator.start_modal(window) == {"CANCELLED"}
    ((kind, text),) = operator.reports
    assert kind == {"ERROR"}
    assert "no camera" in text
    assert window.timers == []
