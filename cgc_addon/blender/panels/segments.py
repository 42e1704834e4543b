# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel "Segments": the list, what can be done with what is selected, and how fine to cut."""

from __future__ import annotations

from typing import TYPE_CHECKING

import bpy

from ..capture.parts import active_capture
from ..capture.view_transform import changes_photo_colors, view_transform
from ..common.access import of_collection, of_scene
from ..common.buttons import layout_of, set_options
from ..common.choices import COLORS_OF_SPLATS, LOOK_SHAPES
from ..common.context import scene_of
from ..drawing import handler as viewport_drawing
from ..picking.tools import (
    CgcAddObject,
    CgcAssignBrush,
    CgcAssignFlood,
    CgcAssignLasso,
    CgcPickObjects,
)
from ..segments.data import all_segments, count_of
from ..segments.list import draw_segments
from ..segments.merge_tree import has_tree
from ..splats.objects import has_native
from .job_box import draw_job, draw_problem, training_runs
from .layout import SidebarPanel, say
from .steps import Step, has_splats

if TYPE_CHECKING:
    from bpy.types import Collection, Context, UILayout


class CGC_PT_segments(SidebarPanel, bpy.types.Panel):  # noqa: N801 - Blender's convention
    """The objects that were found."""

    bl_label = "Segments"
    step = Step.SEGMENTS

    def draw(self, context: Context) -> None:
        """Draw list, numbers and buttons."""
        layout, scene = layout_of(self), scene_of(context)
        capture = active_capture(context)
        if capture is None or not has_splats(capture):
            if training_runs():
                say(layout, context, "They come when training is done.", "INFO")
                return
            text = "No segments yet: train, or import a run or a splat."
            say(layout, context, text, "INFO")
            row = layout.row(align=True)
            row.operator("cgc.import_run", text="Import Run", icon="IMPORT")
            row.operator("cgc.import_splat", text="Import Splat", icon="IMPORT")
            return
        draw_segments(layout, scene)
        if not draw_job(layout, context, "pick"):
            draw_problem(layout, context, "CGC_OT_add_object")
            _draw_tools(layout, capture)
        _draw_counts(layout, context, capture)


class CGC_PT_granularity(SidebarPanel, bpy.types.Panel):  # noqa: N801 - Blender's convention
    """How finely the splat is taken apart."""

    bl_label = "Granularity"
    bl_parent_id = "CGC_PT_segments"
    bl_options = {"DEFAULT_CLOSED"}  # noqa: RUF012 - Blender's convention

    @classmethod
    def poll(cls, context: Context) -> bool:
        """Need clusters that can be joined another way."""
        capture = active_capture(context)
        return capture is not None and has_tree(capture)

    def draw(self, context: Context) -> None:
        """Draw the slider, and the button that does what it says."""
        capture = active_capture(context)
        assert capture is not None
        settings = of_collection(capture)
        column = layout_of(self).column(align=True)
        column.prop(settings, "granularity", slider=True)
        column.prop(settings, "minimum_size")
        column.operator("cgc.recut_segments", icon="MOD_EXPLODE")


class CGC_PT_looks(SidebarPanel, bpy.types.Panel):  # noqa: N801 - Blender's convention
    """How splats look in the viewport and in renders."""

    bl_label = "Look"
    bl_parent_id = "CGC_PT_segments"

    @classmethod
    def poll(cls, context: Context) -> bool:
        """Need something to look at."""
        capture = active_capture(context)
        return capture is not None and has_splats(capture)

    def draw(self, context: Context) -> None:
        """Draw colours and shapes."""
        layout, settings = layout_of(self), of_scene(scene_of(context))
        grid = layout.grid_flow(columns=2, even_columns=True, align=True)
        for shape, *_ in LOOK_SHAPES:
            if shape != "NATIVE" or has_native():
                grid.prop_enum(settings, "look_shape", shape)
        layout.prop(settings, "look_color")
        if changes_photo_colors(scene_of(context)):
            say(layout, context, f"{view_transform(scene_of(context))} changes colours.", "INFO")
            layout.operator("cgc.keep_photo_colors", icon="COLOR")
        if settings.look_shape != "NATIVE":
            layout.prop(settings, "look_size", slider=True)
        if settings.look_shape == "ELLIPSOIDS":
            layout.prop(settings, "look_detail")
            layout.prop(settings, "look_threshold", slider=True)
        if settings.look_shape == "SPLATS":
            if viewport_drawing.problem():
                say(layout, context, viewport_drawing.problem(), "ERROR")
                say(layout, context, "Points are shown until the extension is enabled anew.")
        elif settings.look_color in COLORS_OF_SPLATS:
            say(layout, context, "Only Splats show this; photo colours are shown.", "INFO")
        elif settings.look_shape == "NATIVE" and not has_native():
            say(layout, context, "Blender's own splats come with 5.3; points are shown.", "INFO")
        elif settings.look_shape == "NATIVE" and settings.look_color == "SEGMENT":
            say(layout, context, "Blender's own splats show no segments; points do.", "INFO")


CLASSES = (CGC_PT_segments, CGC_PT_granularity, CGC_PT_looks)


def _draw_tools(layout: UILayout, capture: Collection) -> None:
    """Draw what is done with segments most often; the menu has all of it."""
    column = layout.column(align=True)
    row = column.row(align=True)
    for tool, text in (
        (CgcPickObjects, "Pick"),
        (CgcAssignBrush, "Brush"),
        (CgcAssignLasso, "Lasso"),
        (CgcAssignFlood, "Flood"),
        (CgcAddObject, "Add"),
    ):
        set_options(row.operator("wm.tool_set_by_id", text=text), name=tool.bl_idname)
    row = column.row(align=True)
    row.operator("cgc.merge_segments", text="Merge")
    row.operator("cgc.split_segment", text="Split")
    isolated = of_collection(capture).isolated
    row.operator("cgc.isolate_segment", text="Isolate", depress=isolated)
    row = column.row(align=True)
    row.menu("CGC_MT_assign_to_segment", text="Assign")
    row.operator("cgc.unassign")
    row.operator("cgc.clean_up")
    row.menu("CGC_MT_segments", text="More")


def _draw_counts(layout: UILayout, context: Context, capture: Collection) -> None:
    found = inside = outside = 0
    for collection in all_segments(capture):
        if of_collection(collection).kind == "SEGMENT":
            found, inside = found + 1, inside + count_of(collection)
        else:
            outside += count_of(collection)
    text = f"{found} segment{'s' * (found != 1)} of {inside:,} Gaussians"
    say(layout, context, text + (f", {outside:,} are in none." if outside else "."))
    if not found:
        say(layout, context, "Nothing is separated: training needs masks for that.", "INFO")
