# SPDX-License-Identifier: GPL-3.0-or-later
"""Looking through the cameras of a capture."""

from __future__ import annotations

from collections.abc import Callable

import pytest

pytest.importorskip("bpy")

import bpy

from cgc_addon.blender.capture import camera_operators
from cgc_addon.blender.capture.import_colmap import import_colmap
from cgc_addon.blender.capture.parts import objects_of_kind
from cgc_addon.blender.common.access import of_camera

SHAPES = ("1 PINHOLE 640 480 500 400 300 250", "2 PINHOLE 480 640 500 500 240 320")


@pytest.fixture
def capture(write_capture: Callable) -> bpy.types.Collection:
    return import_colmap(bpy.context, write_capture(cameras=SHAPES))


def photo() -> str:
    return of_camera(bpy.context.scene.camera.data).photo


def test_looking_through_a_camera_sets_the_scene(capture: bpy.types.Collection) -> None:
    render = bpy.context.scene.render
    assert (render.resolution_x, render.resolution_y) == (640, 480)
    camera = objects_of_kind(capture, "CAMERA")[1]
    bpy.context.view_layer.objects.active = camera
    assert bpy.ops.cgc.camera_view() == {"FINISHED"}
    assert bpy.context.scene.camera == camera
    assert (render.resolution_x, render.resolution_y) == (480, 640)
    assert (render.pixel_aspect_x, render.pixel_aspect_y) == (1.0, 1.0)


def test_cameras_go_round_and_round(capture: bpy.types.Collection) -> None:
    assert photo() == "0000.png"
    bpy.ops.cgc.next_camera()
    assert photo() == "0001.png"
    bpy.ops.cgc.previous_camera()
    bpy.ops.cgc.previous_camera()
    assert photo() == "0003.png"
    bpy.ops.cgc.next_camera()
    assert photo() == "0000.png"
    bpy.context.scene.camera = None
    bpy.ops.cgc.previous_camera()
    assert photo() == "0003.png"


def test_they_say_what_they_need(write_capture: Callable) -> None:
    assert not bpy.ops.cgc.camera_view.poll()
    assert not bpy.ops.cgc.next_camera.poll()
    assert not bpy.ops.cgc.previous_camera.poll()
    capture = import_colmap(bpy.context, write_capture())
    for item in objects_of_kind(capture, "CAMERA"):
        bpy.data.objects.remove(item)
    with pytest.raises(RuntimeError, match="capture has no cameras; import the COLMAP capture"):
        bpy.ops.cgc.next_camera()


def test_nothing_is_left_after_unregistering() -> None:
    camera_operators.unregister()
    try:
        assert not {"camera_view", "next_camera", "previous_camera"} & set(dir(bpy.ops.cgc))
    finally:
        camera_operators.register()
