# SPDX-License-Identifier: GPL-3.0-or-later
"""Segments are shown, hidden and selected, and none is changed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("bpy")

import bpy

from cgc_addon.blender.segments.data import splats_of

from .tea_set import segment, select, shown, tea_set


@pytest.fixture
def capture(write_run: Callable[..., Path]) -> bpy.types.Collection:
    return tea_set(write_run())


def test_isolating_twice_brings_back_what_was_shown(capture) -> None:
    bpy.ops.cgc.hide_segment(segment=3)
    segment(capture, 2).hide_render = True
    assert shown(capture) == {0, 1, 2}
    bpy.ops.cgc.isolate_segment(segment=1)
    assert shown(capture) == {1}
    bpy.ops.cgc.isolate_segment(segment=2)
    assert shown(capture) == {2}
    assert not segment(capture, 2).hide_render
    bpy.ops.cgc.isolate_segment(segment=2)
    assert shown(capture) == {0, 1, 2}
    assert segment(capture, 2).hide_render
    assert segment(capture, 3).hide_render
    assert not segment(capture, 1).hide_render
    bpy.ops.cgc.show_all_segments()
    assert shown(capture) == {0, 1, 2, 3}
    assert not segment(capture, 3).hide_render


def test_all_selected_segments_are_isolated(capture) -> None:
    select(splats_of(segment(capture, 3))[0], splats_of(segment(capture, 1))[0])
    bpy.ops.cgc.isolate_segment()
    assert shown(capture) == {1, 3}


def test_selecting_segments(capture) -> None:
    bpy.ops.cgc.select_segment(segment=1)
    bpy.ops.cgc.select_segment(segment=3, extend=True)
    assert {item.name for item in bpy.context.selected_objects} == {"Segment 001", "Segment 003"}
    assert bpy.context.active_object.name == "Segment 003"
    bpy.ops.cgc.hide_segment(segment=2)
    with pytest.raises(RuntimeError, match="Segment 002 is hidden"):
        bpy.ops.cgc.select_segment(segment=2)
    assert len(bpy.context.selected_objects) == 2
    bpy.ops.cgc.hide_segment(segment=2, hide=False)
    bpy.ops.cgc.select_segment(segment=2)
    assert [item.name for item in bpy.context.selected_objects] == ["Segment 002"]
