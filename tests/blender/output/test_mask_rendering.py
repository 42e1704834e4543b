# SPDX-License-Identifier: GPL-3.0-or-later
"""Masks through Blender's cameras are those of the engine, and follow what is done to the scene."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("bpy")

import bpy
from mathutils import Matrix

from cgc_addon.blender.capture.cameras import apply_intrinsics, camera_matrix
from cgc_addon.blender.capture.parts import new_capture, part, root_of, segment_collections
from cgc_addon.blender.common.access import of_camera, of_object
from cgc_addon.blender.output.mask_files import read_labels
from cgc_addon.blender.segments.build import build_segments
from cgc_addon.blender.segments.data import splats_of
from cgc_addon.blender.segments.run_files import read_run
from cgc_addon.cgc.segments import read_segments
from cgc_addon.dataset.cameras_json import write_cameras_json
from cgc_addon.dataset.scene import PinholeCamera, View
from cgc_addon.splats.gaussians import Gaussians
from cgc_addon.splats.ply import read_ply, write_ply
from cgc_addon.splats.select import concatenate, of_segments
from cgc_addon.splats.transform import transform

ROOT = Path(__file__).resolve().parents[3]
ENGINE = Path(os.environ.get("CGC_PYTHON") or ROOT / ".venv" / "bin" / "python")
needs_engine = pytest.mark.skipif(not ENGINE.is_file(), reason="no interpreter with the engine")
CENTERS = np.array([[0.7, 0.7, 0.4], [-0.7, 0.7, 0.4], [-0.7, -0.7, 0.4], [0.7, -0.7, 0.4]])


@pytest.fixture(autouse=True)
def worker_interpreter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CGC_PYTHON", str(ENGINE))


@pytest.fixture
def views() -> tuple[View, ...]:
    """Return three views from around, each with another camera: fx ≠ fy, off-centre, portrait."""
    cameras = (
        PinholeCamera(96, 72, 96.0, 92.0, 49.5, 34.0),
        PinholeCamera(60, 90, 80.0, 84.0, 28.0, 47.5),
        PinholeCamera(72, 72, 70.0, 70.0, 36.0, 36.0),
    )
    made = []
    for number, camera in enumerate(cameras):
        angle = 2.1 * number
        place = np.array([3.2 * np.cos(angle), 3.2 * np.sin(angle), 2.2])
        forward = np.array([0.0, 0.0, 0.2]) - place
        forward /= np.linalg.norm(forward)
        right = np.cross(forward, [0.0, 0.0, 1.0])
        right /= np.linalg.norm(right)
        pose = np.eye(4)
        pose[:3, :3] = np.stack([right, np.cross(forward, right), forward])
        pose[:3, 3] = -pose[:3, :3] @ place
        made.append(View(("left/0001.jpg", "left/0002.jpg", "top.png")[number], camera, pose))
    return tuple(made)


@pytest.fixture
def splat(tmp_path: Path) -> Path:
    """Return a splat of four balls, segments 1 to 4, on a board that belongs to none."""
    random = np.random.default_rng(7)
    means, labels = [], []
    for number, center in enumerate(CENTERS, start=1):
        directions = random.normal(size=(80, 3))
        means.append(center + 0.4 * directions / np.linalg.norm(directions, axis=1, keepdims=True))
        labels.append(np.full(80, number))
    means.append(np.column_stack([random.uniform(-1.6, 1.6, (200, 2)), np.zeros(200)]))
    labels.append(np.zeros(200))
    order = random.permutation(520)
    count = len(order)
    path = tmp_path / "balls.ply"
    write_ply(
        path,
        Gaussians(
            means=np.concatenate(means)[order].astype(np.float32),
            log_scales=np.log(random.uniform(0.06, 0.14, (count, 3))).astype(np.float32),
            quats=random.normal(size=(count, 4)).astype(np.float32),
            logit_opacities=random.uniform(0.0, 4.0, count).astype(np.float32),
            sh=random.normal(size=(count, 4, 3)).astype(np.float32),
            features=random.normal(size=(count, 16)).astype(np.float32),
            segments=np.concatenate(labels)[order].astype(np.int32),
        ),
    )
    return path


@pytest.fixture
def capture(splat: Path, views: tuple[View, ...]) -> bpy.types.Collection:
    """Return the splat and the views as a capture in the scene; its root turns and scales it."""
    made = new_capture(bpy.context.scene, "balls", np.array([0.2, -0.9, 0.3]))
    root = root_of(made)
    root.scale, root.location = (2.5, 2.5, 2.5), (4.0, -3.0, 1.0)
    build_segments(bpy.context.scene, made, read_run(splat))
    for view in views:
        data = bpy.data.cameras.new(view.name)
        apply_intrinsics(data, view.camera)
        of_camera(data).photo = view.name
        item = bpy.data.objects.new(view.name, data)
        of_object(item).kind = "CAMERA"
        item.parent = root
        item.matrix_basis = Matrix(camera_matrix(view.world_to_camera).tolist())
        part(made, "CAMERAS", "Cameras").objects.link(item)
    bpy.context.scene.camera = item
    return made


@pytest.fixture
def engine_labels(splat: Path, views: tuple[View, ...]) -> dict[str, np.ndarray]:
    return labels_of_engine(splat, views)


def labels_of_engine(splat: Path, views: tuple[View, ...]) -> dict[str, np.ndarray]:
    """Return what the engine's own `render` says of a splat from these views."""
    out = splat.with_suffix("")
    write_cameras_json(splat.with_suffix(".json"), views)
    where = ["--cameras", str(splat.with_suffix(".json")), "-o", str(out)]
    command = [str(ENGINE), "-m", "cgc_addon", "render", str(splat), "--what", "labels", *where]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return labels_in(out, views)


def labels_in(folder: Path, views: tuple[View, ...]) -> dict[str, np.ndarray]:
    return {view.name: read_labels(folder / "labels" / f"{view.stem}.png") for view in views}


def least_overlap(
    drawn: dict[str, np.ndarray], wanted: dict[str, np.ndarray], segments=(1, 2, 3, 4)
) -> float:
    """Return the smallest IoU of a segment over all views."""
    assert drawn.keys() == wanted.keys()
    overlaps = []
    for identifier in segments:
        both = sum(((drawn[n] == identifier) & (wanted[n] == identifier)).sum() for n in drawn)
        one = sum(((drawn[n] == identifier) | (wanted[n] == identifier)).sum() for n in drawn)
        overlaps.append(both / one)
    return min(overlaps)


def render(folder: Path, cameras: str = "CAPTURE", **options: bool) -> set[str]:
    return bpy.ops.cgc.render_masks(cameras=cameras, folder=str(folder), **options)


@needs_engine
def test_unedited_scene_gives_what_the_engine_gives(capture, views, engine_labels, tmp_path):
    scene = bpy.context.scene
    scene.render.resolution_x, scene.render.resolution_percentage = 123, 50
    assert render(tmp_path / "out", palette=True, exr=True) == {"FINISHED"}
    drawn = labels_in(tmp_path / "out", views)
    for name, wanted in engine_labels.items():
        assert np.array_equal(drawn[name], wanted), name
    assert set(np.unique(drawn["top.png"])) == {0, 1, 2, 3, 4}

    listed = read_segments(tmp_path / "out" / "segments.json")
    assert [(s.id, s.name, s.count) for s in listed.segments] == [
        (number, f"Segment {number:03d}", 80) for number in range(1, 5)
    ]
    palette = bpy.data.images.load(str(tmp_path / "out" / "palette" / "top.png"))
    seen = np.array(palette.pixels[:]).reshape(72, 72, 4)[::-1]
    for segment in listed.segments:
        inside = seen[drawn["top.png"] == segment.id][:, :3]
        assert np.allclose(inside * 255, segment.color, atol=0.5)
    exr = bpy.data.images.load(str(tmp_path / "out" / "exr" / "left" / "0002.exr"))
    exr.colorspace_settings.name = "Non-Color"
    numbers = np.array(exr.pixels[:]).reshape(90, 60, -1)[::-1, :, 0]
    assert np.array_equal(numbers, drawn["left/0002.jpg"])
    assert (scene.render.resolution_x, scene.render.resolution_percentage) == (123, 50)


@needs_engine
@pytest.mark.parametrize("switched_off", [False, True])
def test_saved_and_loaded_scene_gives_the_same(
    capture, views, engine_labels, tmp_path, switched_off
):
    cameras = part(capture, "CAMERAS", "Cameras")
    if switched_off:  # then Blender keeps no matrices of the cameras
        layer = bpy.context.view_layer.layer_collection.children[capture.name]
        layer.children[cameras.name].exclude = True
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "scene.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "scene.blend"))
    assert render(Path("//masks"), palette=False) == {"FINISHED"}
    assert least_overlap(labels_in(tmp_path / "masks", views), engine_labels) == 1.0
    assert not (tmp_path / "masks" / "palette").exists()


@needs_engine
def test_edits_are_seen(capture, splat, views, tmp_path):
    red, green, blue, _ = segment_collections(capture)
    move = Matrix.Translation((0.1, -0.2, 0.8)) @ Matrix.Rotation(0.5, 4, "X")
    ball = splats_of(red)[0]
    ball.matrix_basis = move @ ball.matrix_basis
    green.hide_render = True
    copy = splats_of(blue)[0].copy()
    aside = Matrix.Translation((1.4, 1.4, 0.0))
    copy.matrix_basis = aside @ copy.matrix_basis
    blue.objects.link(copy)
    blue.name = "Blue Ball"
    assert render(tmp_path / "out", palette=False) == {"FINISHED"}

    stored = read_ply(splat).gaussians
    parts = [transform(of_segments(stored, [1]), np.array(move)), of_segments(stored, [0, 3, 4])]
    parts.append(transform(of_segments(stored, [3]), np.array(aside)))
    write_ply(tmp_path / "edited.ply", concatenate(parts))
    wanted = labels_of_engine(tmp_path / "edited.ply", views)
    drawn = labels_in(tmp_path / "out", views)
    assert not any((labels == 2).any() for labels in drawn.values())
    assert least_overlap(drawn, wanted, (1, 3, 4)) >= 0.99
    listed = {s.id: s for s in read_segments(tmp_path / "out" / "segments.json").segments}
    assert sorted(listed) == [1, 3, 4]
    assert (listed[3].name, listed[3].count) == ("Blue Ball", 160)


@needs_engine
def test_frames_follow_camera_and_objects(capture, tmp_path):
    scene = bpy.context.scene
    scene.frame_start, scene.frame_end, scene.frame_step = 8, 12, 2
    ball = splats_of(segment_collections(capture)[0])[0]
    for frame, height in ((10, 0.0), (11, 2.0)):
        ball.location.z = height
        ball.keyframe_insert("location", frame=frame)
    scene.frame_set(3, subframe=0.25)
    assert render(tmp_path / "out", "FRAMES", palette=False) == {"FINISHED"}
    names = sorted(file.name for file in (tmp_path / "out" / "labels").iterdir())
    assert names == ["0008.png", "0010.png", "0012.png"]
    first, second, third = (read_labels(tmp_path / "out" / "labels" / name) for name in names)
    assert np.array_equal(first, second)
    assert not np.array_equal(second == 1, third == 1)
    assert (scene.frame_current, scene.frame_subframe) == (3, 0.25)


@needs_engine
def test_markers_switch_cameras_in_a_frame_range(capture, tmp_path):
    scene = bpy.context.scene
    scene.frame_start, scene.frame_end = 1, 2
    for frame, name in ((1, "left/0001.jpg"), (2, "left/0002.jpg")):
        scene.timeline_markers.new(name, frame=frame).camera = bpy.data.objects[name]
    chosen = scene.camera
    assert render(tmp_path / "out", "FRAMES", palette=False) == {"FINISHED"}
    sizes = [read_labels(tmp_path / "out" / "labels" / f"000{n}.png").shape for n in (1, 2)]
    assert sizes == [(72, 96), (90, 60)]
    assert scene.camera == chosen


@needs_engine
def test_camera_of_blender_at_any_resolution(capture, tmp_path):
    scene = bpy.context.scene
    data = bpy.data.cameras.new("Free")
    data.lens, data.shift_x, data.sensor_fit = 30.0, 0.1, "VERTICAL"
    free = bpy.data.objects.new("Free: 1", data)
    scene.collection.objects.link(free)
    free.matrix_world = scene.camera.matrix_world
    scene.camera = free
    scene.render.resolution_x, scene.render.resolution_y = 200, 120
    scene.render.resolution_percentage, scene.render.pixel_aspect_y = 50, 1.5
    assert render(tmp_path / "out", "ACTIVE", palette=False) == {"FINISHED"}
    assert read_labels(tmp_path / "out" / "labels" / "Free_ 1.png").shape == (60, 100)


@needs_engine
def test_two_captures_have_ids_of_their_own(capture, splat, tmp_path):
    second = new_capture(bpy.context.scene, "more", None)
    build_segments(bpy.context.scene, second, read_run(splat))
    root_of(second).location = root_of(capture).location
    bpy.context.view_layer.objects.active = root_of(capture)
    assert render(tmp_path / "out", "ACTIVE", palette=False) == {"FINISHED"}
    listed = read_segments(tmp_path / "out" / "segments.json").segments
    assert [s.id for s in listed] == list(range(1, 9))
    assert len({s.name for s in listed}) == 8


@needs_engine
def test_object_moved_to_another_collection_keeps_its_id(capture, tmp_path):
    (ball,) = splats_of(segment_collections(capture)[1])
    ball.users_collection[0].objects.unlink(ball)
    bpy.context.scene.collection.objects.link(ball)
    assert render(tmp_path / "out", "ACTIVE", palette=False) == {"FINISHED"}
    listed = read_segments(tmp_path / "out" / "segments.json").segments
    assert [s.id for s in listed] == [1, 2, 3, 4]


@needs_engine
def test_rendering_one_more_view_keeps_what_is_listed_for_the_others(capture, tmp_path):
    out, first = tmp_path / "out", segment_collections(capture)[0]
    assert render(out, "CAPTURE", palette=False) == {"FINISHED"}
    first.hide_render = True
    segment_collections(capture)[1].name = "Green Ball"
    assert render(out, "ACTIVE", palette=False, overwrite=True) == {"FINISHED"}
    listed = {s.id: s.name for s in read_segments(out / "segments.json").segments}
    assert listed == {1: "Segment 001", 2: "Green Ball", 3: "Segment 003", 4: "Segment 004"}
    assert render(out, "CAPTURE", palette=False, overwrite=True) == {"FINISHED"}
    assert [s.id for s in read_segments(out / "segments.json").segments] == [2, 3, 4]


@needs_engine
def test_look_shows_an_image(capture):
    for _ in range(2):
        assert bpy.ops.cgc.look_at_masks() == {"FINISHED"}
    assert [image.name for image in bpy.data.images] == ["CGC Masks"]
    image = bpy.data.images["CGC Masks"]
    assert tuple(image.size) == (72, 72)
    assert image.packed_file is not None


@needs_engine
def test_failing_worker_leaves_the_scene_as_it_was(capture, tmp_path):
    scene = bpy.context.scene
    ball = splats_of(segment_collections(capture)[0])[0]
    ball.keyframe_insert("location", frame=1)
    scene.frame_start, scene.frame_end = 1, 2
    scene.frame_set(5)
    (tmp_path / "out").write_text("a file where the folder should be")
    with pytest.raises(RuntimeError, match="out"):
        render(tmp_path / "out", "FRAMES")
    assert scene.frame_current == 5
