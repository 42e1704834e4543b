# SPDX-License-Identifier: GPL-3.0-or-later
"""The tools in the toolbar of the 3D viewport."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import bpy

from .hover import draw_hovered, hovered_text

if TYPE_CHECKING:
    from bpy.types import Context, UILayout, WorkSpaceTool

HOVER = ("cgc.hover", {"type": "MOUSEMOVE", "value": "ANY", "any": True}, None)


CLICKS = tuple(
    (
        "cgc.click_select",
        {"type": "LEFTMOUSE", "value": "CLICK", "shift": extend},
        {"properties": [("extend", extend), ("splats_only", True)]},
    )
    for extend in (False, True)
)


def _press(operator: str, key: str, **keys: object) -> tuple[Any, ...]:
    return (operator, {"type": key, "value": "PRESS", **keys}, None)


class CgcPickObjects(bpy.types.WorkSpaceTool):
    """Point at an object: see what it is, select it, take it apart, join it."""

    bl_space_type = "VIEW_3D"
    bl_context_mode = "OBJECT"
    bl_idname = "cgc.pick_objects"
    bl_label = "Pick Objects"
    bl_description = (
        "Select segments of splats by a click.\n"
        "Double click, Ctrl wheel down or −: take the one under the mouse apart.\n"
        "Ctrl wheel up or +: join it with what it belongs together with"
    )
    bl_icon = "ops.generic.select"
    bl_keymap = (
        HOVER,
        *CLICKS,
        ("cgc.split_at", {"type": "LEFTMOUSE", "value": "DOUBLE_CLICK"}, None),
        _press("cgc.split_at", "WHEELDOWNMOUSE", ctrl=True),
        _press("cgc.split_at", "MINUS"),
        _press("cgc.split_at", "NUMPAD_MINUS"),
        _press("cgc.join_next", "WHEELUPMOUSE", ctrl=True),
        _press("cgc.join_next", "PLUS"),
        _press("cgc.join_next", "EQUAL"),
        _press("cgc.join_next", "NUMPAD_PLUS"),
    )

    @staticmethod
    def draw_settings(_context: Context, layout: UILayout, _tool: WorkSpaceTool) -> None:
        """Say what is under the mouse."""
        layout.label(text=hovered_text() or "Click an object")

    @staticmethod
    def draw_cursor(context: Context, _tool: WorkSpaceTool, _place: tuple[int, int]) -> None:
        """Set it off."""
        draw_hovered(context)


def register() -> None:
    """Add the tools; without windows there is no toolbar."""
    if not bpy.app.background:
        bpy.utils.register_tool(CgcPickObjects, after={"builtin.select_lasso"}, group=True)


def unregister() -> None:
    """Take them away again."""
    if not bpy.app.background:
        bpy.utils.unregister_tool(CgcPickObjects)
