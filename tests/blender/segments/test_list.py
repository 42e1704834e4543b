# SPDX-License-Identifier: GPL-3.0-or-later
"""The list of segments and Blender's selection are one and the same, whichever is changed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

pytest.importorskip("bpy")

import bpy

from cgc_addon.blender.capture.parts import new_capture, segment_collections
from cgc_addon.blender.segments.build import build_segments
from cgc_addon.blender.segments.data import all_segments, splats_of
from cgc_addon.blender.segments.list import CGC_UL_segments, ordered
from cgc_addon.blender.segments.run_files import read_run


@pytest.fixture
def capture(write_run: Callable[..., Path]) -> bpy.types.Collection:
    """Return a capture of three segments and some unassigned Gaussians."""
    made = new_capture(bpy.context.scene, "desk", None)
    build_segments(bpy.context.scene, made, read_run(write_run()))
    bpy.context.view_layer.update()
    return made


def rows(order: str = "NUMBER", search: str = "", invert=False, backward=False) -> list[str]:
    """Return the names that the list shows, from the top."""
    settings = SimpleNamespace(
        order=order,
        filter_name=search,
        use_filter_invert=invert,
        use_filter_sort_reverse=backward,
        bitflag_filter_item=1 << 30,
    )
    flags, places = CGC_UL_segments.filter_items(settings, bpy.context, bpy.data, "collections")
    everything = list(bpy.data.collections)
    assert len(flags) == len(everything)
    assert sorted(places) == list(range(len(everything)))
    shown = [
        (place, c.name) for c, flag, place in zip(everything, flags, places, strict=True) if flag
    ]
    assert sorted(place for place, _ in shown) == list(range(len(shown)))
    return [name for _, name in sorted(shown)]


def test_only_segments_are_listed(capture):
    bpy.context.scene.collection.children.link(bpy.data.collections.new("A Lamp"))
    names = ["Segment 001", "Segment 002", "Segment 003"]
    assert rows() == [*names, "Unassigned"]
    assert rows(backward=True) == [*reversed(names), "Unassigned"]
    assert rows(search="segment 00") == names
    assert rows(search="002", invert=True) == [names[0], names[2], "Unassigned"]
    assert rows(search="nothing") == []


def test_orders(capture):
    first, second, third = segment_collections(capture)
    second.name = "Apple"
    splats_of(first)[0].data = splats_of(third)[0].data.copy()
    assert ordered(all_segments(capture), "NAME")[0] == second
    assert ordered(all_segments(capture), "SIZE")[0] == second
    assert rows("NAME")[-1] == "Unassigned"


def test_without_a_capture_the_list_is_empty():
    bpy.context.scene.collection.children.link(bpy.data.collections.new("A Lamp"))
    assert rows() == []
