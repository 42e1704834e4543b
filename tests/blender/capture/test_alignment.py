# SPDX-License-Identifier: GPL-3.0-or-later
"""Levelling a capture by three marks and scaling it by two."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

pytest.importorskip("bpy")

import bpy
from mathutils import Matrix, Vector

from cgc_addon.blender.capture.alignment import align_to_floor, set_scale
from cgc_addon.blender.capture.import_colmap import import_colmap
from cgc_addon.blender.capture.parts import new_capture, objects_of_kind, root_of
from cgc_addon.errors import CgcError


def mark(place: Sequence[float], parent: bpy.types.Object | None = None) -> bpy.types.Object:
    item = bpy.data.objects.new("mark", None)
    item.parent = parent
    item.location = place
    bpy.context.scene.collection.objects.link(item)
    return item


def select(items: Sequence[bpy.types.Object]) -> None:
    bpy.context.view_layer.update()
    for item in bpy.context.view_layer.objects:
        item.select_set(item in items)
    bpy.context.view_layer.objects.active = items[0]


def places(items: Sequence[bpy.types.Object]) -> np.ndarray:
    bpy.context.view_layer.update()
    return np.array([item.matrix_world.translation for item in items])


@pytest.fixture
def capture(write_capture: Callable) -> bpy.types.Collection:
    capture = import_colmap(bpy.context, write_capture())
    root_of(capture).matrix_world = (
        Matrix.Translation((1, 2, 3))
        @ Matrix.Rotation(2.0, 4, Vector((1, 2, 3)))
        @ Matrix.Scale(2, 4)
    )
    bpy.context.view_layer.update()
    return capture


@pytest.mark.parametrize("hangs", [True, False])
def test_floor_becomes_level_below_the_cameras(capture, hangs: bool) -> None:
    root = root_of(capture)
    floor = [(0, 0, -1), (1, 0, -1), (0, 1, -1)]  # in the capture's frame, its cameras are above
    if hangs:
        marks = [mark(place, root) for place in floor]
    else:
        marks = [mark(root.matrix_world @ Vector(place)) for place in floor]
    select([*marks, root])  # the root is selected after an import, and does not count
    assert bpy.ops.cgc.align_to_floor() == {"FINISHED"}
    assert np.allclose(places(marks)[:, 2], 0.0, atol=1e-5)
    assert np.allclose([root.matrix_world @ Vector(p) for p in floor], places(marks), atol=1e-5)
    assert np.all(places(objects_of_kind(capture, "CAMERA"))[:, 2] > 0.0)
    assert np.allclose(root.scale, 2.0, atol=1e-5)
    before = np.array(root.matrix_world)
    align_to_floor(capture, marks)  # once more changes nothing
    assert np.allclose(places([root]), before[:3, 3], atol=1e-5)


def test_height_can_be_left_alone(capture) -> None:
    root = root_of(capture)
    marks = [mark(place, root) for place in [(0, 0, -1), (1, 0, -1), (0, 1, -1)]]
    select(marks)
    middle = places(marks).mean(axis=0)
    bpy.ops.cgc.align_to_floor(at_zero=False)
    assert np.allclose(places(marks).mean(axis=0), middle, atol=1e-5)
    assert np.ptp(places(marks)[:, 2]) < 1e-5


def test_without_cameras_the_side_that_is_up_stays_up() -> None:
    capture = new_capture(bpy.context.scene, "empty", None)
    marks = [mark(place) for place in [(0, 0, 0.1), (0, 1, 0), (1, 0, 0)]]
    bpy.context.view_layer.update()
    align_to_floor(capture, marks)
    bpy.context.view_layer.update()
    assert root_of(capture).matrix_world.col[2].z > 0.9


@pytest.mark.parametrize("flat", [[(0, 0, 0), (1, 0, 0), (5, 0, 0)], [(0, 0, 0)] * 3])
def test_marks_in_one_line_are_refused(capture, flat) -> None:
    marks = [mark(place) for place in flat]
    select(marks)
    before = root_of(capture).matrix_world.copy()
    with pytest.raises(RuntimeError, match="are in one line"):
        bpy.ops.cgc.align_to_floor()
    assert root_of(capture).matrix_world == before


@pytest.mark.parametrize("hangs", [True, False])
def test_two_marks_become_a_length_apart(capture, hangs: bool) -> None:
    root = root_of(capture)
    known = [(0, 0, -1), (0, 3, 3)]
    marks = [mark(p, root) if hangs else mark(root.matrix_world @ Vector(p)) for p in known]
    select(marks)
    camera = objects_of_kind(capture, "CAMERA")[0].data
    clip, size = camera.clip_end, camera.display_size
    assert bpy.ops.cgc.set_scale(length=0.5) == {"FINISHED"}
    first, second = places(marks)
    assert np.linalg.norm(first - second) == pytest.approx(0.5, rel=1e-5)
    factor = 0.5 / 10.0  # 5 long in the capture's frame, and the root's scale was 2
    assert np.allclose(root.scale, 2.0 * factor, rtol=1e-5)
    assert camera.clip_end == pytest.approx(clip * factor)
    assert camera.display_size == pytest.approx(max(size * factor, 0.01))  # Blender's least


def test_marks_in_one_place_are_refused(capture) -> None:
    marks = [mark((1, 1, 1)), mark((1, 1, 1))]
    bpy.context.view_layer.update()
    with pytest.raises(CgcError, match="are in one place"):
        set_scale(capture, marks, 1.0)


def test_they_say_what_they_need(capture) -> None:
    select([mark((0, 0, 0))])
    assert not bpy.ops.cgc.align_to_floor.poll()
    assert not bpy.ops.cgc.set_scale.poll()
