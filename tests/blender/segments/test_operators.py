# SPDX-License-Identifier: GPL-3.0-or-later
"""Operators on segments: what they act on, what they say, and that undo takes all of it back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("bpy")

import bpy

from cgc_addon.blender.capture.parts import captures, new_capture, root_of, segment_collections
from cgc_addon.blender.common.access import of_collection
from cgc_addon.blender.segments.build import build_segments
from cgc_addon.blender.segments.data import all_segments, collection_of, count_of, splats_of
from cgc_addon.blender.segments.run_files import read_run

from .tea_set import segment, select, shown, tea_set


@pytest.fixture
def capture(write_run: Callable[..., Path]) -> bpy.types.Collection:
    return tea_set(write_run())


def numbers(capture) -> list[tuple[int, int]]:
    return [(of_collection(c).segment, count_of(c)) for c in all_segments(capture) if count_of(c)]


def select_points(item, mask: np.ndarray) -> None:
    select(item)
    bpy.ops.object.mode_set(mode="EDIT")
    bpy.ops.pointcloud.select_all(action="DESELECT")
    item.data.attributes[".selection"].data.foreach_set("value", mask)


def test_recut_takes_what_is_not_given_from_the_capture(capture) -> None:
    of_collection(capture).granularity = 0.0
    assert bpy.ops.cgc.recut_segments() == {"FINISHED"}
    assert len(segment_collections(capture)) == 5
    assert bpy.ops.cgc.recut_segments(granularity=1.0, minimum_size=13) == {"FINISHED"}
    assert numbers(capture) == [(1, 105), (0, 24)]
    assert of_collection(capture).granularity == 1.0
    assert of_collection(capture).minimum_size == 13
    bpy.ops.cgc.recut_segments(granularity=0.5)
    assert numbers(capture)[-1] == (0, 24)


def test_selected_segments_are_merged_into_the_active_one(capture) -> None:
    select(splats_of(segment(capture, 3))[0], splats_of(segment(capture, 2))[0])
    bpy.ops.cgc.merge_segments()
    assert numbers(capture) == [(1, 70), (2, 47), (0, 12)]


def test_split_acts_on_a_number_or_on_the_active_object(capture) -> None:
    bpy.ops.cgc.split_segment(segment=1)
    assert numbers(capture) == [(1, 40), (2, 35), (3, 12), (4, 30), (0, 12)]
    select(splats_of(segment(capture, 2))[0])
    bpy.ops.cgc.split_segment()
    assert numbers(capture)[-2:] == [(5, 15), (0, 12)]


def test_selected_objects_join_the_active_ones_segment(capture) -> None:
    select(splats_of(segment(capture, 0))[0], splats_of(segment(capture, 3))[0])
    bpy.ops.cgc.assign_to_segment()
    assert numbers(capture) == [(1, 70), (2, 35), (3, 24)]


def test_selected_points_are_assigned_by_number(capture) -> None:
    select_points(splats_of(segment(capture, 1))[0], np.arange(70) < 20)
    bpy.ops.cgc.assign_to_segment(segment=2)
    assert bpy.context.mode == "OBJECT"
    assert numbers(capture) == [(1, 50), (2, 55), (3, 12), (0, 12)]


def test_selected_points_become_a_segment_or_unassigned(capture) -> None:
    select_points(splats_of(segment(capture, 1))[0], np.arange(70) < 20)
    bpy.ops.cgc.assign_to_segment(new=True)
    assert numbers(capture) == [(1, 50), (2, 35), (3, 12), (4, 20), (0, 12)]
    select_points(splats_of(segment(capture, 2))[0], np.arange(35) < 5)
    bpy.ops.cgc.unassign()
    assert numbers(capture) == [(1, 50), (2, 30), (3, 12), (4, 20), (0, 17)]


def test_pin_rename_delete(capture) -> None:
    bpy.ops.cgc.pin_segment(segment=2)
    assert of_collection(segment(capture, 2)).pinned
    bpy.ops.cgc.pin_segment(segment=2, pinned=False)
    assert not of_collection(segment(capture, 2)).pinned
    bpy.ops.cgc.rename_segment(segment=2, name="Saucer")
    assert segment(capture, 2).name == splats_of(segment(capture, 2))[0].name == "Saucer"
    bpy.ops.cgc.delete_segments(segment=2)
    select(splats_of(segment(capture, 3))[0], splats_of(segment(capture, 0))[0])
    bpy.ops.cgc.delete_segments()
    assert numbers(capture) == [(1, 70)]


def test_the_capture_stays_the_active_one_when_its_active_object_goes(capture, write_run) -> None:
    other = new_capture(bpy.context.scene, "other", None)
    build_segments(bpy.context.scene, other, read_run(write_run("other", seed=1)))
    for worked_on in (other, capture):
        select(splats_of(segment(worked_on, 2))[0])
        bpy.ops.cgc.recut_segments(granularity=1.0)
        assert bpy.context.view_layer.objects.active == root_of(worked_on)
        assert len(segment_collections(worked_on)) == 2


def test_problems_are_reported_in_a_sentence_and_change_nothing(capture) -> None:
    before = numbers(capture)
    for call, problem in (
        (bpy.ops.cgc.split_segment, "No segment is active"),
        (lambda: bpy.ops.cgc.split_segment(segment=9), "tea set has no segment 9"),
        (lambda: bpy.ops.cgc.split_segment(segment=3), "is a single cluster"),
        (bpy.ops.cgc.merge_segments, "No segment is active"),
        (lambda: bpy.ops.cgc.assign_to_segment(segment=1), "Nothing was moved"),
        (bpy.ops.cgc.unassign, "Nothing was moved"),
        (bpy.ops.cgc.delete_segments, "Nothing was deleted"),
        (lambda: bpy.ops.cgc.rename_segment(segment=1, name=""), "name is empty"),
    ):
        bpy.ops.object.select_all(action="DESELECT")
        with pytest.raises(RuntimeError, match=problem):
            call()
    assert numbers(capture) == before


def test_operators_need_segments() -> None:
    for name in ("recut_segments", "merge_segments", "split_segment", "isolate_segment"):
        assert not getattr(bpy.ops.cgc, name).poll()


def test_undo_and_redo_take_everything_back_and_forth(capture) -> None:
    bpy.ops.ed.undo_push(message="built")
    for call in (
        lambda: bpy.ops.cgc.recut_segments("EXEC_DEFAULT", True, granularity=1.0),
        lambda: bpy.ops.cgc.recut_segments("EXEC_DEFAULT", True, granularity=0.0),
        lambda: bpy.ops.cgc.split_segment("EXEC_DEFAULT", True, segment=1),
        lambda: bpy.ops.cgc.delete_segments("EXEC_DEFAULT", True, segment=2),
        lambda: bpy.ops.cgc.isolate_segment("EXEC_DEFAULT", True, segment=3),
    ):
        (capture,) = captures(bpy.context.scene)
        before, seen = numbers(capture), shown(capture)
        assert call() == {"FINISHED"}
        (capture,) = captures(bpy.context.scene)
        after = numbers(capture), shown(capture)
        assert after != (before, seen)
        bpy.ops.ed.undo()
        (capture,) = captures(bpy.context.scene)
        assert (numbers(capture), shown(capture)) == (before, seen)
        assert len(bpy.data.pointclouds) == len(before)
        bpy.ops.ed.redo()
        (capture,) = captures(bpy.context.scene)
        assert (numbers(capture), shown(capture)) == after
        for collection in segment_collections(capture):
            assert collection_of(splats_of(collection)[0]) == collection
        bpy.ops.ed.undo()


def test_undo_takes_back_what_was_done_in_edit_mode(capture) -> None:
    bpy.ops.ed.undo_push(message="built")
    select_points(splats_of(segment(capture, 1))[0], np.arange(70) < 20)
    bpy.ops.ed.undo_push(message="selected")
    bpy.ops.cgc.assign_to_segment("EXEC_DEFAULT", True, new=True)
    bpy.ops.ed.undo()
    if bpy.context.mode != "OBJECT":
        bpy.ops.object.mode_set(mode="OBJECT")
    (capture,) = captures(bpy.context.scene)
    assert numbers(capture) == [(1, 70), (2, 35), (3, 12), (0, 12)]
