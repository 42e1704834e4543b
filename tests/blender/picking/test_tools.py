# SPDX-License-Identifier: GPL-3.0-or-later
"""The tools name operators, options and keys that there are, and say what they are about to do."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

pytest.importorskip("bpy")

import bpy

from cgc_addon.blender.common.access import of_scene
from cgc_addon.blender.picking import tools
from cgc_addon.blender.picking.hover import describe
from cgc_addon.blender.segments.data import splats_of

from ..recorded_layout import RecordedLayout
from .row_of_things import EACH, activate, row_of_things, segment

TOOLS = (tools.CgcPickObjects, *tools.STROKES)
EVENTS = bpy.types.KeyMapItem.bl_rna.properties["type"].enum_items.keys()
VALUES = bpy.types.KeyMapItem.bl_rna.properties["value"].enum_items.keys()


@pytest.mark.parametrize("tool", TOOLS)
def test_keys_lead_to_operators_with_these_options(tool) -> None:
    seen = set()
    for operator, event, options in tool.bl_keymap:
        module, name = operator.split(".")
        known = getattr(getattr(bpy.ops, module), name).get_rna_type().properties
        assert event["type"] in EVENTS
        assert event["value"] in VALUES
        key = tuple(sorted(event.items()))
        assert key not in seen, f"{tool.bl_label}: two operators for {event}"
        seen.add(key)
        for option, _ in (options or {}).get("properties", ()):
            assert option in known, f"{operator} has no {option}"


def test_names_are_told_apart() -> None:
    assert len({tool.bl_idname for tool in TOOLS}) == len(TOOLS)
    assert len({tool.bl_label for tool in TOOLS}) == len(TOOLS)


def test_the_target_is_named() -> None:
    capture = row_of_things()
    assert tools.target_text(bpy.context) == "No segment is active"
    activate(capture, 2)
    assert tools.target_text(bpy.context) == "to Segment 002"
    of_scene(bpy.context.scene).stroke_mode = "UNASSIGN"
    assert tools.target_text(bpy.context) == ""
    for tool in TOOLS:
        layout = RecordedLayout()
        tool.draw_settings(bpy.context, layout, SimpleNamespace())


def test_what_is_under_the_mouse_is_described_by_its_segment() -> None:
    capture = row_of_things()
    (item,) = splats_of(segment(capture, 1))
    owners, text = describe(item)
    assert owners == {item.session_uid}
    assert text == f"Segment 001: {2 * EACH} Gaussians"
    segment(capture, 1).cgc.pinned = True
    assert describe(item)[1].endswith(", pinned")


def test_the_brush_grows_and_shrinks() -> None:
    settings = of_scene(bpy.context.scene)
    settings.stroke_radius = 10.0
    bpy.ops.cgc.brush_radius(factor=1.5)
    assert settings.stroke_radius == 15.0
    bpy.ops.cgc.brush_radius(factor=0.01)
    assert settings.stroke_radius == 1.0
