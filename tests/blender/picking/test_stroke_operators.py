# SPDX-License-Identifier: GPL-3.0-or-later
"""What lies in a shape, and is seen, goes to another segment, and nothing else does."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("bpy")

import bpy
from mathutils import Matrix

from cgc_addon.blender.capture.parts import captures
from cgc_addon.blender.common.access import of_collection, of_scene
from cgc_addon.blender.segments.data import collection_of, splats_of
from cgc_addon.blender.splats.objects import clusters_of, data_of, indices_of

from .row_of_things import (
    EACH,
    LOOSE,
    SIDE,
    VIEW,
    activate,
    numbers,
    path,
    row_of_things,
    segment,
)

HALF_OF_A = path((-4.0, -1.0), (-4.0, 1.0), (-3.0, 1.0), (-3.0, -1.0))
COLUMNS = SIDE // 2 + 1
"""Of a plate, in its left half and its middle."""


def members(capture, number: int) -> set[int]:
    return {
        int(index) for item in splats_of(segment(capture, number)) for index in indices_of(item)
    }


@pytest.mark.parametrize(
    ("operator", "shape"),
    [
        ("assign_lasso", {"path": path((-4, -1), (-4, 1), (-2.9, 1), (-2.9, -1))}),
        ("assign_box", {"path": path((-4, -1), (-5, 5), (-2.9, 1))}),
        ("assign_brush", {"path": path((-3.45, -1), (-3.45, 1)), "radius": 11.0}),
    ],
)
def test_what_is_seen_in_the_shape_joins_the_active_segment(operator: str, shape: dict) -> None:
    capture = row_of_things()
    activate(capture, 3)
    moved = {index for index in range(EACH) if index % SIDE < COLUMNS}
    before = members(capture, 3)
    assert getattr(bpy.ops.cgc, operator)(**VIEW, **shape) == {"FINISHED"}
    assert members(capture, 3) == before | moved
    assert members(capture, 4) == set(range(4 * EACH, 5 * EACH))  # E is hidden by A
    assert of_collection(segment(capture, 3)).pinned
    assert not of_collection(segment(capture, 1)).pinned


def test_through_takes_what_is_hidden_too() -> None:
    capture = row_of_things()
    activate(capture, 3)
    bpy.ops.cgc.assign_lasso(**VIEW, path=HALF_OF_A, through=True)
    both = 2 * SIDE * (COLUMNS - 1)
    assert EACH + both <= len(members(capture, 3)) <= EACH + both + 2 * SIDE


def test_a_new_segment_is_active_and_further_strokes_go_on_with_it() -> None:
    capture = row_of_things()
    of_scene(bpy.context.scene).stroke_mode = "NEW"
    bpy.ops.cgc.assign_brush(**VIEW, path=path((1.5, 0)), radius=12.0, mode="NEW")
    made = collection_of(bpy.context.active_object)
    assert of_collection(made).segment == 5
    assert of_scene(bpy.context.scene).stroke_mode == "ADD"
    count = len(members(capture, 5))
    bpy.ops.cgc.assign_brush(**VIEW, path=path((3.5, 0)), radius=12.0)
    assert len(members(capture, 5)) == 2 * count
    assert sum(count for _, count in numbers(capture)) == 5 * EACH + LOOSE


def test_unassigned_gaussians_leave_their_clusters() -> None:
    capture = row_of_things()
    bpy.ops.cgc.assign_box(**VIEW, path=path((1, -1), (2, 1)), mode="UNASSIGN")
    (rest,) = splats_of(segment(capture, 0))
    assert len(data_of(rest).points) > LOOSE
    assert not clusters_of(rest).any()


def test_strokes_outlast_a_recut_a_file_and_can_be_undone(tmp_path) -> None:
    capture = row_of_things()
    bpy.ops.ed.undo_push(message="built")
    states = [numbers(capture)]
    activate(capture, 3)
    bpy.ops.ed.undo_push(message="activated")
    for shape in (path((-3, 0)), path((1.5, 0))):
        bpy.ops.cgc.assign_brush(**VIEW, path=shape, radius=12.0)
        bpy.ops.ed.undo_push(message="stroke")
        states.append(numbers(captures(bpy.context.scene)[0]))
    for state in reversed(states[:-1]):
        bpy.ops.ed.undo()
        assert numbers(captures(bpy.context.scene)[0]) == state
    for state in states[1:]:
        bpy.ops.ed.redo()
        assert numbers(captures(bpy.context.scene)[0]) == state
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "row.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "row.blend"))
    capture = captures(bpy.context.scene)[0]
    assert numbers(capture) == states[-1]
    painted = members(capture, 3)
    bpy.ops.cgc.recut_segments()
    assert numbers(capture) == states[-1]
    bpy.ops.cgc.recut_segments(granularity=0.0, minimum_size=1)
    assert members(capture, 3) == painted


def test_what_cannot_be_done_is_said_and_changes_nothing() -> None:
    capture = row_of_things()
    before = numbers(capture)
    stroke = {**VIEW, "path": path((-3, 0)), "radius": 12.0}
    with pytest.raises(RuntimeError, match="No segment is active"):
        bpy.ops.cgc.assign_brush(**stroke)
    activate(capture, 1)
    with pytest.raises(RuntimeError, match="Nothing was moved"):
        bpy.ops.cgc.assign_brush(**stroke)
    with pytest.raises(RuntimeError, match="all of Segment 002"):
        bpy.ops.cgc.assign_box(**VIEW, path=path((0.6, -1), (2.4, 1)), mode="NEW")
    with pytest.raises(RuntimeError, match="no 3D viewport"):
        bpy.ops.cgc.assign_brush(path=path((-3, 0)))
    with pytest.raises(RuntimeError, match="There is no camera nowhere"):
        bpy.ops.cgc.assign_brush(camera="nowhere", path=path((-3, 0)))
    of_scene(bpy.context.scene).look_shape = "POINTS"
    with pytest.raises(RuntimeError, match="shows no splats"):
        bpy.ops.cgc.assign_brush(**{**stroke, "mode": "NEW"})
    assert numbers(capture) == before


def test_what_is_hidden_from_the_viewport_is_left_alone() -> None:
    capture = row_of_things()
    activate(capture, 3)
    splats_of(segment(capture, 1))[0].hide_set(True)
    bpy.ops.cgc.assign_lasso(**VIEW, path=HALF_OF_A)
    assert len(members(capture, 1)) == 2 * EACH
    assert len(members(capture, 4)) < EACH  # now it is seen


def test_objects_may_have_been_moved() -> None:
    capture = row_of_things()
    (item,) = splats_of(segment(capture, 1))
    move = Matrix.LocRotScale((1.0, 2.0, 0.0), None, (0.5, 0.5, 0.5))
    item.matrix_world = move @ item.matrix_world
    bpy.context.view_layer.update()
    activate(capture, 3)
    # A was at −3 and is at −0.5 now, two higher, half as large.
    bpy.ops.cgc.assign_box(**VIEW, path=path((-1, 1.5), (0.01, 2.5)))
    assert members(capture, 3) == set(range(EACH)) | set(range(3 * EACH, 4 * EACH))
    moved = np.array(sorted(members(capture, 3)))
    assert len(moved) == 2 * EACH
