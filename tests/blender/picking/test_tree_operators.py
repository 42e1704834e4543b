# SPDX-License-Identifier: GPL-3.0-or-later
"""One object goes up and down the tree, and its neighbours stay."""

from __future__ import annotations

import pytest

pytest.importorskip("bpy")

import bpy

from cgc_addon.blender.capture.parts import captures
from cgc_addon.blender.common.access import of_collection
from cgc_addon.blender.segments.data import collection_of

from .row_of_things import EACH, LOOSE, activate, at, numbers, row_of_things, segment

START = [(1, 2 * EACH), (2, EACH), (3, EACH), (4, EACH), (0, LOOSE)]


def test_a_split_leaves_the_part_that_was_pointed_at_selected() -> None:
    capture = row_of_things()
    assert numbers(capture) == START
    assert bpy.ops.cgc.split_at(**at("B")) == {"FINISHED"}
    assert numbers(capture) == [*[(n, EACH) for n in range(1, 6)], (0, LOOSE)]
    here = collection_of(bpy.context.active_object)
    assert bpy.context.selected_objects == [bpy.context.active_object]
    assert of_collection(here).pinned
    bpy.context.view_layer.update()
    with pytest.raises(RuntimeError, match="single cluster"):
        bpy.ops.cgc.split_at(**at("B"))


def test_joining_goes_on_with_what_belongs_together_next() -> None:
    capture = row_of_things()
    bpy.ops.cgc.split_at(**at("A"))
    bpy.ops.cgc.join_next(**at("A"))
    assert sorted(numbers(capture)) == sorted(START)
    bpy.ops.cgc.join_next(**at("A"))  # with C and D, which are two segments
    assert [count for _, count in numbers(capture)] == [4 * EACH, EACH, LOOSE]
    bpy.ops.cgc.split_at(**at("D"))
    assert [count for _, count in numbers(capture)] == [2 * EACH, 2 * EACH, EACH, LOOSE]
    bpy.context.view_layer.update()
    bpy.ops.cgc.join_next(**at("A"))
    with pytest.raises(RuntimeError, match="joined with nothing further"):
        bpy.ops.cgc.join_next(**at("A"))


def test_gaussians_that_were_painted_over_do_not_decide_what_comes_next() -> None:
    capture = row_of_things()
    activate(capture, 2)
    first = at("A")
    loc = (first["x"], first["y"])
    stroke = [{"name": "", "loc": loc, "time": 0.0}]
    view = {key: first[key] for key in ("view_matrix", "window_matrix", "region_size")}
    bpy.ops.cgc.assign_brush(**view, path=stroke, radius=6.0)
    bpy.context.view_layer.update()
    bpy.ops.cgc.join_next(**at("C"))
    assert of_collection(segment(capture, 2)).pinned
    assert len(numbers(capture)) == 4  # C has D now, not A


def test_each_step_is_undone_alone() -> None:
    capture = row_of_things()
    bpy.ops.ed.undo_push(message="built")
    states = [numbers(capture)]
    for step, plate in (("split_at", "A"), ("join_next", "C"), ("split_at", "D")):
        getattr(bpy.ops.cgc, step)(**at(plate))
        bpy.ops.ed.undo_push(message=step)  # as Blender does after an operator in a window
        bpy.context.view_layer.update()
        states.append(numbers(captures(bpy.context.scene)[0]))
    for state in reversed(states[:-1]):
        bpy.ops.ed.undo()
        assert numbers(captures(bpy.context.scene)[0]) == state
    for state in states[1:]:
        bpy.ops.ed.redo()
        assert numbers(captures(bpy.context.scene)[0]) == state


def test_beside_all_objects_nothing_happens() -> None:
    capture = row_of_things()
    nowhere = {**at("A"), "y": 5.0}
    for operator in (bpy.ops.cgc.split_at, bpy.ops.cgc.join_next):
        with pytest.raises(RuntimeError, match="No segment is seen there"):
            operator(**nowhere)
    assert numbers(capture) == START
