# SPDX-License-Identifier: GPL-3.0-or-later
"""F12 with CGC Splats: the picture is what was trained, where Blender's camera sees it."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest

bpy = pytest.importorskip("bpy")

from bpy_extras.object_utils import world_to_camera_view
from mathutils import Vector

from cgc_addon.blender.capture.cameras import scene_of_camera
from cgc_addon.blender.capture.parts import objects_of_kind, root_of
from cgc_addon.blender.common.access import of_scene
from cgc_addon.blender.output.mask_views import capture_frame, views_of
from cgc_addon.blender.render_engine.render_worker import RenderWorker
from cgc_addon.blender.splats.looks import apply_look_to_scene
from cgc_addon.dataset.cameras_json import write_cameras_json
from cgc_addon.srgb import linear_from_srgb, srgb_from_linear

ROOT = Path(__file__).resolve().parents[3]


def pixels_of(path: Path) -> np.ndarray:
    """Return an 8-bit picture (H, W, 3), 0..1, rows from the top."""
    image = bpy.data.images.load(str(path))
    width, height = image.size
    values = np.empty(width * height * 4, np.float32)
    image.pixels.foreach_get(values)
    return values.reshape(height, width, 4)[::-1, :, :3]


def psnr(first: np.ndarray, second: np.ndarray) -> float:
    return float(10 * np.log10(1 / max(((first - second) ** 2).mean(), 1e-12)))


def run_verb(*arguments: str) -> None:
    command = [os.environ["CGC_PYTHON"], "-m", "cgc_addon", *arguments]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)


@pytest.fixture
def capture(scene, write_capture, write_run):
    """Return a capture of four cameras with a splat of three segments, turned and enlarged."""
    dataset = write_capture(cameras=("1 PINHOLE 64 52 70 75 31 25",))
    assert bpy.ops.cgc.import_run(directory=str(write_run(dataset=dataset))) == {"FINISHED"}
    capture = scene.collection.children[0]
    root = root_of(capture)
    root.location, root.rotation_euler, root.scale = (5, -3, 2), (1.1, 0.4, -0.6), (1.5,) * 3
    bpy.context.view_layer.update()
    return capture


def test_the_picture_is_that_of_the_verb_from_all_cameras_of_the_capture(scene, capture, tmp_path):
    cameras = objects_of_kind(capture, "CAMERA")
    depsgraph = bpy.context.evaluated_depsgraph_get()
    frame = capture_frame(bpy.context, depsgraph)
    write_cameras_json(tmp_path / "cameras.json", views_of(scene, cameras, depsgraph, frame))
    assert bpy.ops.cgc.export_ply(filepath=str(tmp_path / "scene.ply")) == {"FINISHED"}
    options = ["--cameras", str(tmp_path / "cameras.json"), "--what", "rgb"]
    run_verb("render", str(tmp_path / "scene.ply"), *options, "-o", str(tmp_path / "verb"))
    for camera in cameras:
        scene.camera = camera
        scene.render.filepath = str(tmp_path / f"{camera.name}.png")
        with scene_of_camera(scene, camera):
            bpy.ops.render.render(write_still=True)
        expected = pixels_of(tmp_path / "verb" / "rgb" / f"{Path(camera.data.cgc.photo).stem}.png")
        assert expected.std() > 0.05
        assert psnr(pixels_of(Path(scene.render.filepath)), expected) >= 50.0


def test_ellipsoids_change_nothing(scene, capture, picture):
    scene.camera = objects_of_kind(capture, "CAMERA")[1]
    points = picture()
    of_scene(scene).look_shape = "ELLIPSOIDS"
    apply_look_to_scene(scene)
    np.testing.assert_array_equal(picture(), points)
    assert points[..., :3].std() > 0.01


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"resolution_percentage": 50},
        {"pixel_aspect_x": 1.5},
        {"pixel_aspect_y": 2.0},
        {"resolution_x": 30, "resolution_y": 52},
        {"sensor_fit": "VERTICAL", "sensor_height": 30.0},
        {"sensor_fit": "HORIZONTAL", "resolution_y": 60},
        {"shift_x": 0.2, "shift_y": -0.1},
    ],
)
def test_things_are_where_blender_sees_them(scene, ball, picture, change) -> None:
    for name, value in change.items():
        setattr(
            scene.camera.data if "sens" in name or "shift" in name else scene.render, name, value
        )
    scene.camera.rotation_euler = (0.1, -0.15, 0.4)
    place = (0.4, 0.3, 0.5)
    ball(place=place, radius=0.05)
    bpy.context.view_layer.update()
    brightness = picture()[..., 0]
    height, width = brightness.shape
    x, y, _distance = world_to_camera_view(scene, scene.camera, Vector(place))
    rows, columns = np.indices(brightness.shape) + 0.5
    found = [(brightness * axis).sum() / brightness.sum() for axis in (columns, rows)]
    np.testing.assert_allclose(found, (x * width, (1 - y) * height), atol=0.1)


@pytest.mark.parametrize("crop", [False, True])
def test_a_region_is_a_part_of_the_whole(scene, ball, picture, crop) -> None:
    ball(radius=0.8)
    ball("other", (0.1, 0.9, 0.4), (1.0, 0.5, -1.0))
    whole = picture()
    border = scene.render
    border.use_border, border.use_crop_to_border = True, crop
    border.border_min_x, border.border_max_x = 0.29, 0.77
    border.border_min_y, border.border_max_y = 0.4, 0.9
    part = picture()
    left, right, bottom, top = int(0.29 * 48), int(0.77 * 48), int(0.4 * 36), int(0.9 * 36)
    inside = np.s_[36 - top : 36 - bottom, left:right]
    if crop:
        np.testing.assert_allclose(part, whole[inside], atol=1e-5)
    else:
        np.testing.assert_allclose(part[inside], whole[inside], atol=1e-5)
        outside = np.ones((36, 48), bool)
        outside[inside] = False
        assert not part[outside].any()


def ground(scene, color: tuple[float, float, float], strength: float = 1.0) -> None:
    """Give a scene a world of one colour."""
    world = bpy.data.worlds.new("world")
    if world.node_tree is None:
        world.use_nodes = True
    node = next(n for n in world.node_tree.nodes if n.bl_idname == "ShaderNodeBackground")
    node.inputs["Color"].default_value = (*color, 1.0)
    node.inputs["Strength"].default_value = strength
    scene.world = world


def test_colours_are_blended_as_in_training_and_kept_linear(scene, ball, picture) -> None:
    ball(color=(1.0, 0.5, 0.2), radius=0.4)
    ground(scene, (0.2, 0.1, 0.4), 0.5)
    opaque = picture()
    scene.render.film_transparent = True
    clear = picture()
    alpha = clear[..., 3:]
    assert alpha.max() > 0.98
    assert alpha.min() == 0.0
    inside = alpha[..., 0] > 0.01
    straight = clear[inside, :3] / alpha[inside]
    np.testing.assert_allclose(
        straight,
        np.tile(linear_from_srgb(np.array((1.0, 0.5, 0.2))), (len(straight), 1)),
        rtol=1e-3,
    )
    assert not clear[alpha[..., 0] == 0.0].any()
    encoded = alpha * (1.0, 0.5, 0.2) + (1 - alpha) * srgb_from_linear(np.array((0.1, 0.05, 0.2)))
    np.testing.assert_allclose(opaque[..., :3], linear_from_srgb(encoded), atol=1e-4)
    np.testing.assert_allclose(opaque[..., 3], 1.0, atol=1e-6)


def test_colours_beyond_black_and_white_are_sane(scene, ball, picture) -> None:
    ball(color=(3.0, -2.0, 0.5), radius=2.0)
    middle = picture()[18, 24]
    assert np.isfinite(middle).all()
    assert middle[0] > 5.0
    assert middle[1] == 0.0


def test_a_world_of_many_nodes_gives_its_viewport_colour_and_says_so(scene, ball, render) -> None:
    ground(scene, (1.0, 1.0, 1.0))
    world = scene.world
    node = next(n for n in world.node_tree.nodes if n.bl_idname == "ShaderNodeBackground")
    sky = world.node_tree.nodes.new("ShaderNodeTexEnvironment")
    world.node_tree.links.new(sky.outputs["Color"], node.inputs["Color"])
    world.color = (0.25, 0.5, 0.75)
    np.testing.assert_allclose(
        render().layer("ViewLayer.Combined", "RGB")[0, 0], (0.25, 0.5, 0.75), rtol=1e-5
    )


def test_nothing_to_see_is_the_world_alone(scene, picture) -> None:
    ground(scene, (0.3, 0.2, 0.1))
    np.testing.assert_allclose(
        picture(), np.broadcast_to((0.3, 0.2, 0.1, 1.0), (36, 48, 4)), rtol=1e-5
    )


def test_instances_and_animation_count(scene, ball, picture) -> None:
    chairs = bpy.data.collections.new("chairs")
    item = ball(collection=chairs, radius=0.2)
    copies = []
    for x in (-1.5, 1.5):
        copy = bpy.data.objects.new("copy", None)
        copy.instance_type, copy.instance_collection = "COLLECTION", chairs
        copy.location.x = x
        scene.collection.objects.link(copy)
        copies.append(copy)
    middle, left, right = ((18, column) for column in (24, 24 - 16, 24 + 15))
    seen = picture()[..., 0]
    assert seen[left] > 0.5 < seen[right]
    assert seen[middle] < 0.01
    item.keyframe_insert("location", frame=1)
    item.location.x = 1.5
    item.keyframe_insert("location", frame=2)
    scene.frame_set(2)
    seen = picture()[..., 0]
    assert seen[middle] > 0.5
    assert seen[left] < 0.01
    copies[0].hide_render = True
    assert picture()[middle][0] < 0.01


def test_an_animation_is_rendered_frame_by_frame(scene, ball, tmp_path) -> None:
    ball(radius=0.3)
    scene.camera.keyframe_insert("location", frame=1)
    scene.camera.location.x = 1.0
    scene.camera.keyframe_insert("location", frame=3)
    scene.frame_start, scene.frame_end, scene.frame_step = 1, 3, 2
    scene.render.filepath = str(tmp_path / "frame_")
    bpy.ops.render.render(animation=True)
    first, last = (pixels_of(tmp_path / f"frame_000{n}.png") for n in (1, 3))
    assert first[18, 24, 0] > 0.9
    assert last[18, 24, 0] < 0.6
    assert last[18, 24 - 11, 0] > 0.9


def test_layers_show_what_is_in_them(scene, ball, render) -> None:
    one, two = (bpy.data.collections.new(name) for name in ("one", "two"))
    for collection, x in ((one, -1.5), (two, 1.5)):
        scene.collection.children.link(collection)
        ball(collection=collection, place=(x, 0, 0))
    scene.view_layers["ViewLayer"].layer_collection.children["two"].exclude = True
    second = scene.view_layers.new("Second")
    second.layer_collection.children["one"].exclude = True
    exr = render()
    seen = {
        name: (exr.layer(f"{name}.Combined", "R")[18, [8, 39], 0] > 0.5).tolist()
        for name in ("ViewLayer", "Second")
    }
    assert seen == {"ViewLayer": [True, False], "Second": [False, True]}


@pytest.mark.parametrize("film_transparent", [False, True])
def test_holdouts_cut_alpha_and_hide_what_is_behind(scene, ball, picture, film_transparent) -> None:
    ground(scene, (0.5, 0.5, 0.5))
    scene.render.film_transparent = film_transparent
    ball(radius=3.0, place=(0.0, 0.0, -2.0))
    holes = bpy.data.collections.new("holes")
    scene.collection.children.link(holes)
    ball("hole", collection=holes, place=(0.0, 0.0, 1.0), radius=0.3)
    bpy.context.view_layer.layer_collection.children["holes"].holdout = True
    result = picture()
    assert result[18, 24, 3] < 0.02
    assert result[18, 24, :3].max() < 0.02
    assert result[18, 8, 3] > 0.8
    assert result[18, 8, 0] > 0.5


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda scene: setattr(scene, "camera", None), "has no camera|Cannot render, no camera"),
        (lambda scene: setattr(scene.camera.data, "type", "ORTHO"), "no perspective camera"),
        (lambda scene: setattr(scene.camera.data, "type", "PANO"), "no perspective camera"),
        (lambda scene: setattr(scene.render, "use_multiview", True), "no stereoscopy"),
        (lambda scene: setattr(scene.camera, "scale", (-1, 1, 1)), "mirrored"),
    ],
)
def test_what_cannot_be_drawn_is_said_in_a_sentence(scene, ball, spoil, sentence) -> None:
    ball()
    spoil(scene)
    with pytest.raises(RuntimeError, match=sentence) as failure:
        bpy.ops.render.render()
    assert "Traceback" not in str(failure.value)


def test_a_splat_that_is_flattened_is_named(scene, ball) -> None:
    ball("flat one").scale = (1.0, 0.0, 1.0)
    with pytest.raises(RuntimeError, match=r"flat one.*scale of zero"):
        bpy.ops.render.render()


def test_without_a_worker_the_reason_is_said(scene, ball, monkeypatch) -> None:
    ball()
    bpy.ops.render.render()
    monkeypatch.setenv("CGC_PYTHON", "/nowhere/python")
    with pytest.raises(RuntimeError, match="/nowhere/python"):
        bpy.ops.render.render()
    monkeypatch.delenv("CGC_PYTHON")  # then it is Blender's own, which has no engine
    with pytest.raises(RuntimeError, match=r"lacks the package .* press Install Engine"):
        bpy.ops.render.render()
    monkeypatch.undo()
    bpy.ops.render.render()


@pytest.mark.usefixtures("graphics")
def test_the_world_is_drawn_where_a_viewport_is_shaded_by_the_engine(scene) -> None:
    import gpu

    from cgc_addon.blender.render_engine.viewport import draw_ground

    ground(scene, (0.3, 0.2, 0.1))
    buffer = gpu.types.GPUOffScreen(4, 4, format="RGBA32F")
    for transparent, expected in ((False, (0.3, 0.2, 0.1, 1.0)), (True, (0.0,) * 4)):
        scene.render.film_transparent = transparent
        with buffer.bind():
            draw_ground(bpy.context.evaluated_depsgraph_get())
            drawn = gpu.state.active_framebuffer_get().read_color(1, 1, 1, 1, 4, 0, "FLOAT")
        drawn.dimensions = 4
        np.testing.assert_allclose(np.array(drawn), expected, rtol=1e-4)


def test_a_cancelled_render_is_no_error_and_the_next_one_is_whole(
    scene, ball, picture, monkeypatch
) -> None:
    def stop() -> bool:
        return True

    ball()
    whole = RenderWorker.draw
    with monkeypatch.context() as cancelled:
        cancelled.setattr(
            RenderWorker, "draw", lambda self, request, _, tell: whole(self, request, stop, tell)
        )
        began = time.monotonic()
        bpy.ops.render.render()
        assert time.monotonic() - began < 2.0
    assert picture()[18, 24, 0] > 0.5


def test_another_working_space_shows_the_same_picture(scene, ball, tmp_path) -> None:
    if "set_working_color_space" not in dir(bpy.ops.wm):
        pytest.skip("this Blender has one working space")
    ball(color=(0.9, 0.4, 0.2), radius=0.5)
    pictures = []
    for space in ("Linear Rec.709", "Linear Rec.2020"):
        bpy.ops.wm.set_working_color_space(working_space=space)
        scene.render.filepath = str(tmp_path / f"{space}.png")
        bpy.ops.render.render(write_still=True)
        pictures.append(pixels_of(tmp_path / f"{space}.png"))
    assert pictures[0][18, 24, 0] > 0.8
    np.testing.assert_allclose(pictures[1], pictures[0], atol=1.5 / 255)


def test_a_failed_frame_ends_an_animation_and_leaves_no_file(scene, ball, tmp_path) -> None:
    ball()
    scene.camera.data.type = "ORTHO"
    scene.render.filepath = str(tmp_path / "frame_")
    with pytest.raises(RuntimeError, match="no perspective camera"):
        bpy.ops.render.render(animation=True)
    assert not list(tmp_path.iterdir())
