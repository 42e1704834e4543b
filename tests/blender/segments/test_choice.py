# SPDX-License-Identifier: GPL-3.0-or-later
"""Which segment is meant, by its number or by what is active."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

bpy = pytest.importorskip("bpy")

from cgc_addon.blender.segments.choice import (
    ACTIVE,
    capture_around,
    has_segments,
    selected_segments,
    wanted_segment,
)
from cgc_addon.blender.segments.data import splats_of, unassigned
from cgc_addon.errors import CgcError

from .tea_set import segment, select, tea_set


@pytest.fixture
def capture(write_run: Callable[..., Path]) -> bpy.types.Collection:
    return tea_set(write_run())


def test_a_number_means_a_segment_and_0_what_is_in_none(capture: bpy.types.Collection) -> None:
    assert wanted_segment(bpy.context, 2) == segment(capture, 2)
    assert wanted_segment(bpy.context, 0) == unassigned(capture)
    with pytest.raises(CgcError, match="tea set has no segment 9"):
        wanted_segment(bpy.context, 9)


def test_the_active_object_goes_before_the_active_collection(capture: bpy.types.Collection) -> None:
    layer = bpy.context.view_layer
    with pytest.raises(CgcError, match="No segment is active"):
        wanted_segment(bpy.context, ACTIVE)
    inside = layer.layer_collection.children[capture.name].children
    layer.active_layer_collection = inside[segment(capture, 3).name]
    assert wanted_segment(bpy.context, ACTIVE) == segment(capture, 3)
    layer.objects.active = splats_of(segment(capture, 1))[0]
    assert wanted_segment(bpy.context, ACTIVE) == segment(capture, 1)


def test_each_selected_segment_counts_once(capture: bpy.types.Collection) -> None:
    first = splats_of(segment(capture, 1))[0]
    copy = first.copy()
    segment(capture, 1).objects.link(copy)
    select(first, copy, splats_of(unassigned(capture))[0])
    assert set(selected_segments(bpy.context)) == {segment(capture, 1), unassigned(capture)}
    assert len(selected_segments(bpy.context)) == 2


def test_a_segment_that_was_appended_alone_is_in_no_capture(capture: bpy.types.Collection) -> None:
    assert capture_around(bpy.context, segment(capture, 1)) == capture
    alone = bpy.data.collections.new("alone")
    with pytest.raises(CgcError, match="alone is in no capture"):
        capture_around(bpy.context, alone)


def test_an_empty_scene_has_no_segments() -> None:
    assert not has_segments(bpy.context)
    with pytest.raises(CgcError, match="no capture; import one first"):
        wanted_segment(bpy.context, 1)
