# SPDX-License-Identifier: GPL-3.0-or-later
"""The menus offer what there is, and are where people look for them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

bpy = pytest.importorskip("bpy")

from cgc_addon.blender.segments.menu import HOSTS, CGC_MT_assign_to_segment, CGC_MT_segments

from ..recorded_layout import RecordedLayout
from .tea_set import segment, tea_set


def drawn(menu: type) -> SimpleNamespace:
    layout = RecordedLayout()
    menu.draw(SimpleNamespace(layout=layout), bpy.context)
    return layout.record


def test_every_segment_can_be_assigned_to(write_run: Callable[..., Path]) -> None:
    capture = tea_set(write_run())
    segment(capture, 2).name = "Tea Pot"
    segment(capture, 3).color_tag = "NONE"
    menu = drawn(CGC_MT_assign_to_segment)
    assert menu.texts[0] == "New Segment"
    assert menu.texts[2:] == ["Segment 001", "Tea Pot", "Segment 003"]


def test_without_a_capture_there_is_a_new_segment_to_assign_to() -> None:
    assert drawn(CGC_MT_assign_to_segment).operators == ["cgc.assign_to_segment", "cgc.unassign"]


def test_every_operator_on_segments_is_in_the_menu() -> None:
    offered = set(drawn(CGC_MT_segments).operators) | set(drawn(CGC_MT_assign_to_segment).operators)
    there = {f"cgc.{name}" for name in dir(bpy.ops.cgc) if "segment" in name}
    assert there <= offered


def test_it_hangs_in_the_menus_of_objects_and_points() -> None:
    for name in HOSTS:
        functions = getattr(bpy.types, name).draw._draw_funcs
        assert any(function.__module__.endswith("segments.menu") for function in functions), name
