# SPDX-License-Identifier: GPL-3.0-or-later
"""A capture is found by what its parts are, whatever they are called and wherever they are."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("bpy")

import bpy
from mathutils import Vector

from cgc_addon.blender.capture.parts import (
    active_capture,
    capture_of,
    captures,
    new_capture,
    new_root,
    objects_of_kind,
    part,
    root_of,
    segment_collections,
)
from cgc_addon.blender.common.access import of_collection, of_object
from cgc_addon.errors import CgcError


@pytest.mark.parametrize(
    "up", [(0, -1, 0), (0, 0, 1), (0, 0, -1), (0.3, -0.8, 0.2), (1, 0, 0), (1e-9, 0, -1)]
)
def test_up_becomes_z(up) -> None:
    direction = np.array(up, dtype=float) / np.linalg.norm(up)
    root = root_of(new_capture(bpy.context.scene, "desk", direction))
    bpy.context.view_layer.update()
    turned = root.matrix_world.to_3x3() @ Vector(direction)
    assert (turned - Vector((0, 0, 1))).length < 1e-6
    assert all(abs(s - 1.0) < 1e-6 for s in root.scale)
    assert root.matrix_world.to_3x3().determinant() > 0.99


def test_without_up_the_frame_is_the_worlds() -> None:
    root = root_of(new_capture(bpy.context.scene, "desk", None))
    assert np.allclose(np.array(root.matrix_basis), np.eye(4))


def test_parts_are_made_once_and_found_under_any_name() -> None:
    capture = new_capture(bpy.context.scene, "desk", None)
    cameras = part(capture, "CAMERAS", "Cameras")
    cameras.name = "Fotoapparate"
    assert part(capture, "CAMERAS", "Cameras") == cameras
    assert part(capture, "POINTS", "Points") != cameras
    assert [of_collection(c).kind for c in capture.children] == ["CAMERAS", "POINTS"]


def test_segments_are_ordered_by_number_at_any_depth() -> None:
    capture = new_capture(bpy.context.scene, "desk", None)
    for number in (3, 1, 2):
        collection = part(capture, "UNASSIGNED", "x").children if number == 2 else capture.children
        made = bpy.data.collections.new("s")
        of_collection(made).kind, of_collection(made).segment = "SEGMENT", number
        collection.link(made)
    assert [of_collection(c).segment for c in segment_collections(capture)] == [1, 2, 3]


def test_objects_know_their_capture() -> None:
    first = new_capture(bpy.context.scene, "first", None)
    second = new_capture(bpy.context.scene, "second", None)
    inside = bpy.data.objects.new("inside", None)
    of_object(inside).kind = "POINTS"
    part(second, "POINTS", "Points").objects.link(inside)
    outside = bpy.data.objects.new("outside", None)
    bpy.context.scene.collection.objects.link(outside)
    assert capture_of(inside) == second
    assert capture_of(root_of(first)) == first
    assert capture_of(outside) is None
    assert objects_of_kind(second, "POINTS") == [inside]
    assert objects_of_kind(first, "POINTS") == []
    assert captures(bpy.context.scene) == [first, second]


def test_captures_of_other_scenes_are_not_this_scenes() -> None:
    new_capture(bpy.data.scenes.new("other"), "elsewhere", None)
    assert captures(bpy.context.scene) == []
    assert active_capture(bpy.context) is None


def test_active_capture_follows_object_then_collection_then_order() -> None:
    first = new_capture(bpy.context.scene, "first", None)
    second = new_capture(bpy.context.scene, "second", None)
    view_layer = bpy.context.view_layer
    assert active_capture(bpy.context) == first
    view_layer.active_layer_collection = view_layer.layer_collection.children[second.name]
    assert active_capture(bpy.context) == second
    view_layer.objects.active = root_of(first)
    assert active_capture(bpy.context) == first


def test_copies_of_the_root_do_not_take_its_place() -> None:
    capture = new_capture(bpy.context.scene, "desk", None)
    root = root_of(capture)
    copy = root.copy()
    copy.name = "A"
    capture.objects.link(copy)
    assert root_of(capture) == root


def test_a_lost_root_is_said_and_can_be_replaced() -> None:
    capture = new_capture(bpy.context.scene, "desk", None)
    bpy.data.objects.remove(root_of(capture))
    with pytest.raises(CgcError, match=r"desk has lost its root Empty.*import the capture again"):
        root_of(capture)
    made = new_root(capture, np.array([0.0, -1.0, 0.0]))
    assert root_of(capture) == made
