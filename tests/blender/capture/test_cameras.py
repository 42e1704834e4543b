# SPDX-License-Identifier: GPL-3.0-or-later
"""Blender's cameras and pinhole cameras show the same, to a thousandth of a pixel."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("bpy")

import bpy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mathutils import Euler, Matrix

from cgc_addon.blender.capture import cameras
from cgc_addon.blender.common.access import of_camera
from cgc_addon.dataset.scene import PinholeCamera
from cgc_addon.errors import CgcError

CLOSE = 1e-3
"""px"""
relaxed = settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
lengths = st.floats(0.5, 3.0)
cameras_in_pixels = st.builds(
    lambda w, h, f, stretch, x, y: PinholeCamera(w, h, f * w, f * w * stretch, x * w, y * h),
    st.integers(16, 4000),
    st.integers(16, 4000),
    lengths,
    st.floats(0.7, 1.4),
    st.floats(0.2, 0.8),
    st.floats(0.2, 0.8),
)


def make_camera(name: str = "camera") -> bpy.types.Object:
    data = bpy.data.cameras.new(name)
    item = bpy.data.objects.new(name, data)
    bpy.context.scene.collection.objects.link(item)
    return item


def update() -> None:
    bpy.context.view_layer.update()


def pixels_of_blender(item: bpy.types.Object, points: np.ndarray) -> np.ndarray:
    """Project (N, 3) world points with the matrices that Blender renders with."""
    render = bpy.context.scene.render
    width = render.resolution_x * render.resolution_percentage // 100
    height = render.resolution_y * render.resolution_percentage // 100
    projection = item.calc_matrix_camera(
        bpy.context.evaluated_depsgraph_get(),
        x=width,
        y=height,
        scale_x=render.pixel_aspect_x,
        scale_y=render.pixel_aspect_y,
    )
    axes = np.array(item.matrix_world.normalized(), dtype=np.float64)
    clip = np.array(projection, dtype=np.float64) @ np.linalg.inv(axes)
    seen = np.c_[points, np.ones(len(points))] @ clip.T
    ndc = seen[:, :2] / seen[:, 3:]
    return np.c_[(ndc[:, 0] + 1) / 2 * width, (1 - ndc[:, 1]) / 2 * height]


def pixels_of_view(view, points: np.ndarray) -> np.ndarray:
    local = points @ view.world_to_camera[:3, :3].T + view.world_to_camera[:3, 3]
    seen = local @ view.camera.matrix().T
    return seen[:, :2] / seen[:, 2:]


def points_before(item: bpy.types.Object) -> np.ndarray:
    """Points (N, 3) in the world all over what a camera may see, at several depths."""
    grid = np.array([(x, y) for x in (-0.6, 0.0, 0.5) for y in (-0.5, 0.0, 0.7)])
    local = np.concatenate([np.c_[grid * depth, np.full(9, -depth)] for depth in (0.7, 3.0, 20.0)])
    axes = np.array(item.matrix_world.normalized())
    return local @ axes[:3, :3].T + axes[:3, 3]


@given(camera=cameras_in_pixels)
@relaxed
def test_photos_camera_shows_what_the_photo_shows(camera: PinholeCamera) -> None:
    item = make_camera()
    cameras.apply_intrinsics(item.data, camera)
    pose = np.eye(4)
    pose[:3, :3] = np.array(Euler((0.3, 2.0, -1.0)).to_matrix())
    pose[:3, 3] = (0.5, -2.0, 3.0)
    item.matrix_world = Matrix(cameras.camera_matrix(pose).tolist())
    update()
    points = points_before(item)
    local = points @ pose[:3, :3].T + pose[:3, 3]
    seen = local @ camera.matrix().T
    size = max(camera.width, camera.height)
    with cameras.scene_of_camera(bpy.context.scene, item):
        assert np.allclose(
            pixels_of_blender(item, points), seen[:, :2] / seen[:, 2:], atol=max(CLOSE, 2e-6 * size)
        )
    bpy.data.objects.remove(item)


@given(
    fit=st.sampled_from(["AUTO", "HORIZONTAL", "VERTICAL"]),
    size=st.tuples(st.integers(64, 3000), st.integers(64, 3000)),
    percentage=st.sampled_from([100, 50, 33, 117]),
    aspect=st.sampled_from([(1.0, 1.0), (1.0, 1.3), (1.7, 1.0), (2.0, 1.5)]),
    lens=st.floats(8.0, 200.0),
    sensor=st.tuples(st.floats(5.0, 60.0), st.floats(5.0, 60.0)),
    shift=st.tuples(st.floats(-0.5, 0.5), st.floats(-0.5, 0.5)),
    scale=st.sampled_from([(1.0, 1.0, 1.0), (3.0, 3.0, 3.0), (0.5, 2.0, 1.0)]),
)
@relaxed
def test_view_of_any_camera_agrees_with_blender(
    fit, size, percentage, aspect, lens, sensor, shift, scale
) -> None:
    render = bpy.context.scene.render
    render.resolution_x, render.resolution_y = size
    render.resolution_percentage = percentage
    render.pixel_aspect_x, render.pixel_aspect_y = aspect
    item = make_camera()
    item.data.sensor_fit, item.data.lens = fit, lens
    item.data.sensor_width, item.data.sensor_height = sensor
    item.data.shift_x, item.data.shift_y = shift
    item.location, item.rotation_euler, item.scale = (1.0, 2.0, -0.5), (0.4, -1.1, 2.2), scale
    update()
    view = cameras.view_of(bpy.context.scene, item, np.eye(4), "seen")
    points = points_before(item)
    shown = pixels_of_blender(item, points)
    rounding = 5e-6 * np.abs(shown).max()  # of Blender's float32, far outside of the picture
    assert np.allclose(pixels_of_view(view, points), shown, atol=max(CLOSE, rounding), rtol=0)
    bpy.data.objects.remove(item)


def test_view_in_the_frame_of_a_turned_and_scaled_root() -> None:
    root = bpy.data.objects.new("root", None)
    bpy.context.scene.collection.objects.link(root)
    root.location, root.rotation_euler, root.scale = (3.0, 1.0, 2.0), (1.0, 0.2, -0.4), (0.2,) * 3
    item = make_camera()
    item.parent = root
    item.location, item.rotation_euler = (4.0, 5.0, 6.0), (0.1, 0.2, 0.3)
    update()
    frame = np.array(root.matrix_world, dtype=np.float64)
    view = cameras.view_of(bpy.context.scene, item, frame, "seen")
    rotation = view.world_to_camera[:3, :3]
    assert np.allclose(rotation @ rotation.T, np.eye(3), atol=1e-6)
    points = points_before(item)
    local = (np.c_[points, np.ones(len(points))] @ np.linalg.inv(frame).T)[:, :3]
    assert np.allclose(pixels_of_view(view, local), pixels_of_blender(item, points), atol=5e-3)


@pytest.mark.parametrize("scale", [(1.0, 2.0, 1.0), (-1.0, 1.0, 1.0), (0.0, 1.0, 1.0)])
def test_frames_that_no_pinhole_camera_fits_are_refused(scale) -> None:
    item = make_camera()
    update()
    with pytest.raises(CgcError, match="no pinhole camera can show"):
        cameras.view_of(bpy.context.scene, item, np.diag([*scale, 1.0]), "seen")


@pytest.mark.parametrize(("by", "fits"), [(1e-5, True), (1e-3, False), (1e-2, False)])
@pytest.mark.parametrize("place", [(1, 1), (0, 1)], ids=["uneven", "sheared"])
def test_a_frame_is_uneven_or_sheared_from_a_pixel_in_a_thousand_on(place, by, fits) -> None:
    """Less is rounding of Blender's matrices, more would put points beside what they show."""
    item = make_camera()
    update()
    frame = np.eye(4)
    frame[place] += by
    if fits:
        cameras.view_of(bpy.context.scene, item, frame, "seen")
        return
    with pytest.raises(CgcError, match="no pinhole camera can show"):
        cameras.view_of(bpy.context.scene, item, frame, "seen")


@pytest.mark.parametrize("kind", ["ORTHO", "PANO"])
def test_other_lenses_are_refused(kind: str) -> None:
    item = make_camera()
    item.data.type = kind
    with pytest.raises(CgcError, match="not a perspective camera"):
        cameras.view_of(bpy.context.scene, item, np.eye(4), "seen")


def test_what_is_no_camera_is_refused() -> None:
    empty = bpy.data.objects.new("empty", None)
    with pytest.raises(CgcError, match="no camera"):
        cameras.view_of(bpy.context.scene, empty, np.eye(4), "seen")


def test_kept_intrinsics_count_until_the_lens_is_changed() -> None:
    camera = PinholeCamera(640, 480, 500.0, 510.0, 300.0, 250.0)
    item = make_camera()
    cameras.apply_intrinsics(item.data, camera)
    update()
    assert cameras.intrinsics_of(item.data) == camera
    seen = cameras.view_of(bpy.context.scene, item, np.eye(4), "seen").camera
    assert (seen.width, seen.height) == (640, 480)
    item.data.lens *= 1.01
    assert cameras.intrinsics_of(item.data) is None
    seen = cameras.view_of(bpy.context.scene, item, np.eye(4), "seen").camera
    assert (seen.width, seen.height) == (1920, 1080)
    assert of_camera(item.data).width == 640


def test_scene_is_as_before_also_after_an_error() -> None:
    render = bpy.context.scene.render
    render.resolution_x, render.resolution_y, render.resolution_percentage = 123, 456, 78
    render.pixel_aspect_x, render.use_border = 1.25, True
    item = make_camera()
    cameras.apply_intrinsics(item.data, PinholeCamera(64, 48, 50.0, 40.0, 32.0, 24.0))
    with (
        pytest.raises(ZeroDivisionError),
        cameras.scene_of_camera(bpy.context.scene, item),
    ):
        assert (render.resolution_x, render.resolution_y) == (64, 48)
        assert (render.resolution_percentage, render.use_border) == (100, False)
        assert (render.pixel_aspect_x, render.pixel_aspect_y) == (1.0, 1.25)
        raise ZeroDivisionError
    assert (render.resolution_x, render.resolution_y, render.resolution_percentage) == (
        123,
        456,
        78,
    )
    assert (render.pixel_aspect_x, render.pixel_aspect_y, render.use_border) == (1.25, 1.0, True)
