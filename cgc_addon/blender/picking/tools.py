# SPDX-License-Identifier: GPL-3.0-or-later
"""The tools in the toolbar of the 3D viewport."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import bpy
import numpy as np

from ..common.access import of_collection, of_scene
from ..common.context import region_of, scene_of, window_manager_of
from ..segments import selection
from .hover import draw_hovered, hovered_text
from .stroke_drawing import circle, draw_line

if TYPE_CHECKING:
    from bpy.types import Context, UILayout, WorkSpaceTool

HOVER = ("cgc.hover", {"type": "MOUSEMOVE", "value": "ANY", "any": True}, None)


def _press(operator: str, key: str, **keys: object) -> tuple[Any, ...]:
    return (operator, {"type": key, "value": "PRESS", **keys}, None)


def _clicks(**keys: object) -> tuple[Any, ...]:
    """Return keys with which a click selects, with Shift also further ones."""
    return tuple(
        (
            "cgc.click_select",
            {"type": "LEFTMOUSE", "value": "CLICK", "shift": extend, **keys},
            {"properties": [("extend", extend), ("splats_only", True)]},
        )
        for extend in (False, True)
    )


def _drag(operator: str) -> tuple[Any, ...]:
    return (operator, {"type": "LEFTMOUSE", "value": "CLICK_DRAG"}, None)


def _radius(key: str, factor: float, **keys: object) -> tuple[Any, ...]:
    scaled = {"properties": [("factor", factor)]}
    return ("cgc.brush_radius", {"type": key, "value": "PRESS", **keys}, scaled)


class CgcPickObjects(bpy.types.WorkSpaceTool):
    """Point at an object: see what it is, select it, take it apart, join it."""

    bl_space_type = "VIEW_3D"
    bl_context_mode = "OBJECT"
    bl_idname = "cgc.pick_objects"
    bl_label = "Pick Objects"
    bl_description = (
        "Select segments of splats by a click.\n"
        "Double click, Ctrl wheel down or −: take the one under the mouse apart.\n"
        "Ctrl wheel up or +: join it with what it belongs together with next.\n"
        "Ctrl J: merge the selected ones into the active one"
    )
    bl_icon = "ops.generic.select"
    bl_keymap = (
        HOVER,
        *_clicks(),
        ("cgc.split_at", {"type": "LEFTMOUSE", "value": "DOUBLE_CLICK"}, None),
        _press("cgc.split_at", "WHEELDOWNMOUSE", ctrl=True),
        _press("cgc.split_at", "MINUS"),
        _press("cgc.split_at", "NUMPAD_MINUS"),
        _press("cgc.join_next", "WHEELUPMOUSE", ctrl=True),
        _press("cgc.join_next", "PLUS"),
        _press("cgc.join_next", "EQUAL"),
        _press("cgc.join_next", "EQUAL", shift=True),
        _press("cgc.join_next", "NUMPAD_PLUS"),
        _press("cgc.merge_segments", "J", ctrl=True),
    )

    @staticmethod
    def draw_settings(_context: Context, layout: UILayout, _tool: WorkSpaceTool) -> None:
        """Say what is under the mouse."""
        layout.label(text=hovered_text() or "Click an object")

    @staticmethod
    def draw_cursor(context: Context, _tool: WorkSpaceTool, _place: tuple[int, int]) -> None:
        """Set it off."""
        draw_hovered(context)


class CgcAssignBrush(bpy.types.WorkSpaceTool):
    """Paint over Gaussians."""

    bl_space_type = "VIEW_3D"
    bl_context_mode = "OBJECT"
    bl_idname = "cgc.assign_brush"
    bl_label = "Segment Brush"
    bl_description = (
        "Paint over Gaussians to move them to another segment.\n"
        "[ and ], or Ctrl wheel: radius. Ctrl click: make a segment the active one"
    )
    bl_icon = "ops.generic.select_circle"
    bl_keymap = (
        HOVER,
        *_clicks(ctrl=True),
        _press("cgc.assign_brush", "LEFTMOUSE"),
        _radius("LEFT_BRACKET", 1 / 1.2),
        _radius("RIGHT_BRACKET", 1.2),
        _radius("WHEELDOWNMOUSE", 1 / 1.2, ctrl=True),
        _radius("WHEELUPMOUSE", 1.2, ctrl=True),
    )

    @staticmethod
    def draw_settings(context: Context, layout: UILayout, _tool: WorkSpaceTool) -> None:
        """Draw what a stroke does, and with which brush."""
        layout.prop(of_scene(scene_of(context)), "stroke_radius")
        draw_stroke_settings(context, layout)

    @staticmethod
    def draw_cursor(context: Context, _tool: WorkSpaceTool, place: tuple[int, int]) -> None:
        """Draw the brush."""
        region = region_of(context)
        middle = np.array(place, np.float64) - (region.x, region.y)
        radius = of_scene(scene_of(context)).stroke_radius
        draw_line(circle(middle, radius), (1.0, 1.0, 1.0, 0.9), 1.0)


class CgcAssignLasso(bpy.types.WorkSpaceTool):
    """Draw around Gaussians."""

    bl_space_type = "VIEW_3D"
    bl_context_mode = "OBJECT"
    bl_idname = "cgc.assign_lasso"
    bl_label = "Segment Lasso"
    bl_description = (
        "Draw around Gaussians to move them to another segment.\n"
        "Click: make a segment the active one"
    )
    bl_icon = "ops.generic.select_lasso"
    bl_keymap = (HOVER, *_clicks(), _drag("cgc.assign_lasso"))

    @staticmethod
    def draw_settings(context: Context, layout: UILayout, _tool: WorkSpaceTool) -> None:
        """Draw what a stroke does."""
        draw_stroke_settings(context, layout)


class CgcAssignBox(bpy.types.WorkSpaceTool):
    """Draw a box around Gaussians."""

    bl_space_type = "VIEW_3D"
    bl_context_mode = "OBJECT"
    bl_idname = "cgc.assign_box"
    bl_label = "Segment Box"
    bl_description = (
        "Draw a box around Gaussians to move them to another segment.\n"
        "Click: make a segment the active one"
    )
    bl_icon = "ops.generic.select_box"
    bl_keymap = (HOVER, *_clicks(), _drag("cgc.assign_box"))

    @staticmethod
    def draw_settings(context: Context, layout: UILayout, _tool: WorkSpaceTool) -> None:
        """Draw what a stroke does."""
        draw_stroke_settings(context, layout)


class CgcAssignFlood(bpy.types.WorkSpaceTool):
    """Click at a thing to take all of it."""

    bl_space_type = "VIEW_3D"
    bl_context_mode = "OBJECT"
    bl_idname = "cgc.assign_flood"
    bl_label = "Segment Flood"
    bl_description = (
        "Click at a thing to move all of it that is alike to another segment.\n"
        "Shift click: split it off the segment it is in.\n"
        "Ctrl click: make a segment the active one"
    )
    bl_icon = "brush.paint_texture.fill"
    bl_keymap = (
        HOVER,
        *_clicks(ctrl=True),
        ("cgc.assign_flood", {"type": "LEFTMOUSE", "value": "CLICK"}, None),
        (
            "cgc.assign_flood",
            {"type": "LEFTMOUSE", "value": "CLICK", "shift": True},
            {"properties": [("mode", "NEW"), ("within", True)]},
        ),
    )

    @staticmethod
    def draw_settings(context: Context, layout: UILayout, _tool: WorkSpaceTool) -> None:
        """Draw what a flood does."""
        layout.prop(of_scene(scene_of(context)), "stroke_mode", text="")
        layout.label(text=target_text(context))

    @staticmethod
    def draw_cursor(context: Context, _tool: WorkSpaceTool, _place: tuple[int, int]) -> None:
        """Set off what is under the mouse."""
        draw_hovered(context)


class CgcAddObject(bpy.types.WorkSpaceTool):
    """Click at a thing that was not found as an object."""

    bl_space_type = "VIEW_3D"
    bl_context_mode = "OBJECT"
    bl_idname = "cgc.add_object"
    bl_label = "Add Object by Click"
    bl_description = (
        "Click at a thing to make it a segment of its own: the mask model is asked what it is, in "
        "photos all round.\n"
        "Ctrl click: make a segment the active one"
    )
    bl_icon = "ops.mesh.primitive_sphere_add_gizmo"
    bl_keymap = (
        HOVER,
        *_clicks(ctrl=True),
        ("cgc.add_object", {"type": "LEFTMOUSE", "value": "CLICK"}, None),
    )

    @staticmethod
    def draw_settings(_context: Context, layout: UILayout, _tool: WorkSpaceTool) -> None:
        """Say what a click does."""
        layout.label(text="Click a thing; the mask model says how far it goes")

    @staticmethod
    def draw_cursor(context: Context, _tool: WorkSpaceTool, _place: tuple[int, int]) -> None:
        """Set off what is under the mouse."""
        draw_hovered(context)


def draw_stroke_settings(context: Context, layout: UILayout) -> None:
    """Draw what a stroke does with the Gaussians in it."""
    settings = of_scene(scene_of(context))
    layout.prop(settings, "stroke_mode", text="")
    layout.prop(settings, "stroke_through")
    layout.label(text=target_text(context))


def target_text(context: Context) -> str:
    """Return where Gaussians go."""
    settings = of_scene(scene_of(context))
    if settings.stroke_mode != "ADD":
        return ""
    target = selection.active_segment()
    if target is None or of_collection(target).kind != "SEGMENT":
        return "No segment is active"
    return f"to {target.name}"


STROKES = (CgcAssignBrush, CgcAssignLasso, CgcAssignBox, CgcAssignFlood, CgcAddObject)


def register() -> None:
    """Add the tools; without windows there is no toolbar."""
    if bpy.app.background:
        return
    bpy.utils.register_tool(CgcPickObjects, after={"builtin.select_lasso"}, group=True)
    before = CgcPickObjects.bl_idname
    for cls in STROKES:
        bpy.utils.register_tool(cls, after={before}, group=cls is STROKES[0])
        before = cls.bl_idname


def unregister() -> None:
    """Take them away again."""
    if bpy.app.background:
        return
    _lay_down()
    for cls in (*reversed(STROKES), CgcPickObjects):
        bpy.utils.unregister_tool(cls)


def _lay_down() -> None:
    """Take up one of Blender's own tools instead of ours: its pointer would still be drawn."""
    ours = {cls.bl_idname for cls in (CgcPickObjects, *STROKES)}
    for window in window_manager_of(bpy.context).windows:
        tool = window.workspace.tools.from_space_view3d_mode("OBJECT", create=False)
        area = next((area for area in window.screen.areas if area.type == "VIEW_3D"), None)
        if area is not None and tool is not None and tool.idname in ours:
            with bpy.context.temp_override(window=window, area=area):
                bpy.ops.wm.tool_set_by_id(name="builtin.select_box")
