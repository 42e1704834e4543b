# SPDX-License-Identifier: GPL-3.0-or-later
"""Cameras as views: their names, the frame they are drawn in, where switched-off ones are."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("bpy")
import bpy

from cgc_addon.blender.capture.parts import new_capture, root_of
from cgc_addon.blender.common.access import of_camera
from cgc_addon.blender.output.mask_views import capture_frame, chosen_cameras, views_of


def new_camera(name: str, photo: str = "") -> bpy.types.Object:
    data = bpy.data.cameras.new(name)
    of_camera(data).photo = photo
    item = bpy.data.objects.new(name, data)
    bpy.context.scene.collection.objects.link(item)
    return item


def depsgraph() -> bpy.types.Depsgraph:
    return bpy.context.evaluated_depsgraph_get()


def names(*cameras: bpy.types.Object) -> list[str]:
    views = views_of(bpy.context.scene, cameras, depsgraph(), np.eye(4))
    return [view.stem for view in views]


def test_views_are_named_like_their_photos_else_like_cameras() -> None:
    named = names(
        new_camera("a", "left/0001.jpg"),
        new_camera("copy", "left/0001.jpg"),
        new_camera("Left/Cam.001"),
        new_camera("left_cam.001"),
        new_camera("b", "COPY.png"),
    )
    assert named == ["left/0001", "copy", "Left_Cam.001", "left_cam.001_2", "b"]


def test_selected_cameras_stand_in_the_order_of_their_photos() -> None:
    for name, photo in (("x", "2.jpg"), ("y", "1.jpg"), ("a", "")):
        new_camera(name, photo).select_set(True)
    assert [item.name for item in chosen_cameras(bpy.context, "SELECTED")] == ["y", "x", "a"]


@pytest.mark.parametrize("scale", [(1, 1, 2), (-1, 1, 1), (0, 0, 0)])
def test_where_the_captures_frame_cannot_be_drawn_in_the_world_is(scale) -> None:
    capture = new_capture(bpy.context.scene, "desk", np.array([0.0, -1.0, 0.0]))
    root = root_of(capture)
    root.scale = (2.0, 2.0, 2.0)
    expected = np.array(root.matrix_basis)
    assert np.allclose(capture_frame(bpy.context, depsgraph()), expected)
    root.scale = scale
    assert np.array_equal(capture_frame(bpy.context, depsgraph()), np.eye(4))
    bpy.data.objects.remove(root)
    assert np.array_equal(capture_frame(bpy.context, depsgraph()), np.eye(4))


def test_without_a_capture_the_frame_is_the_world() -> None:
    assert np.array_equal(capture_frame(bpy.context, depsgraph()), np.eye(4))
