# SPDX-License-Identifier: GPL-3.0-or-later
"""What Blender draws as lines is found where its lines are, as far away as they are there."""

from __future__ import annotations

import numpy as np
import pytest

bpy = pytest.importorskip("bpy")

from cgc_addon.blender.drawing.line_objects import line_object_at
from cgc_addon.blender.drawing.shown import Viewpoint

SIZE = 100
LENS = np.array([[2.0, 0, 0, 0], [0, 2.0, 0, 0], [0, 0, -1, -0.2], [0, 0, -1, 0]])
"""100 px at a distance of 1 are a unit."""


def depth_at(items, x: float, y: float, eye=(0, 0, 0), reach: float = 4.0) -> float | None:
    bpy.context.view_layer.update()
    to_view = np.eye(4)
    to_view[:3, 3] = -np.array(eye)
    view = Viewpoint(to_view, LENS, SIZE, SIZE)
    return line_object_at(items, bpy.context.scene, view, x, y, reach)


def add(data=None, location=(0, 0, 0)):
    item = bpy.data.objects.new("item", data)
    item.location = location
    bpy.context.scene.collection.objects.link(item)
    return item


def test_an_empty_has_three_axes() -> None:
    item = add(location=(0, 0, -2))
    item.empty_display_size = 0.5
    assert depth_at([item], 50, 50) == pytest.approx(1.5)  # the end of z, towards the eye
    assert depth_at([item], 74, 50) == pytest.approx(2.0)
    assert depth_at([item], 26, 51) == pytest.approx(2.0)
    assert depth_at([item], 82, 50) is None
    assert depth_at([item], 65, 65) is None
    item.empty_display_type = "ARROWS"
    assert depth_at([item], 74, 50) == pytest.approx(2.0)
    assert depth_at([item], 26, 50) is None


def test_the_nearest_counts_and_what_is_behind_does_not() -> None:
    light = bpy.data.lights.new("light", "POINT")
    items = [add(light, (0, 0, -z)) for z in (3.0, 2.0, -4.0)]
    assert depth_at(items, 51, 49) == pytest.approx(2.0)
    assert depth_at(items[2:], 50, 50) is None


def test_a_camera_is_its_frame() -> None:
    camera = bpy.data.cameras.new("camera")
    frame = np.array(camera.view_frame(scene=bpy.context.scene))
    item = add(camera, (0, 0, -1))
    depth = 1.0 - frame[0, 2]
    for corner in frame:
        x, y = SIZE / 2 + 100 * corner[:2] / depth
        assert depth_at([item], x, y) == pytest.approx(depth, rel=1e-3)
    assert depth_at([item], 50, 50 + 100 * frame[:, 1].max() / depth) == pytest.approx(depth)
    assert depth_at([item], 50, 50 + 45 * frame[:, 1].max() / depth) is None


def test_a_camera_has_the_size_that_it_is_shown_in() -> None:
    camera = bpy.data.cameras.new("camera")
    camera.display_size = 0.25
    frame = 0.25 * np.array(camera.view_frame(scene=bpy.context.scene))
    item = add(camera, (0, 0, -1))
    for scale in (1.0, 3.0):  # of which Blender's drawing is free
        item.scale = (scale,) * 3
        bpy.context.view_layer.update()
        depth = 1.0 - frame[0, 2]
        for corner in frame:
            x, y = SIZE / 2 + 100 * corner[:2] / depth
            assert depth_at([item], x, y) == pytest.approx(depth, rel=1e-3)
        assert depth_at([item], *(SIZE / 2 + 300 * frame[0, :2])) is None


def test_what_has_a_surface_is_left_to_rays() -> None:
    assert depth_at([add(bpy.data.meshes.new("mesh"), (0, 0, -2))], 50, 50) is None
    assert depth_at([], 50, 50) is None
