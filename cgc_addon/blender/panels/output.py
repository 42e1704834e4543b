# SPDX-License-Identifier: GPL-3.0-or-later
"""The panels "Render Masks" and "Export": what leaves Blender."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import bpy

from ..capture.parts import active_capture
from ..common.access import of_scene
from ..common.buttons import layout_of, set_options
from ..common.context import scene_of
from ..jobs import registry as jobs
from ..jobs.job import Phase
from ..segments.data import all_segments
from ..segments.selection import only_in_renders
from .job_box import draw_job, draw_problem
from .layout import SidebarPanel, say
from .steps import Step

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import IconItems
    from bpy.types import Context

OPERATORS = ("CGC_OT_render_masks", "CGC_OT_look_at_masks")
EXPORTS: tuple[tuple[str, str, IconItems], ...] = (
    ("VISIBLE", "All Visible", "HIDE_OFF"),
    ("SELECTED", "Selected", "RESTRICT_SELECT_OFF"),
    ("SEGMENTS", "One File per Segment", "OUTLINER_COLLECTION"),
)
"""What is exported, and text and icon of its button."""


class CGC_PT_render_masks(SidebarPanel, bpy.types.Panel):  # noqa: N801 - Blender's convention
    """Which pixel shows which segment, as files."""

    bl_label = "Render Masks"
    step = Step.OUTPUT
    verbs = ("render",)
    operators = OPERATORS

    def draw(self, context: Context) -> None:
        """Draw the settings and the button, or how far rendering is."""
        layout, scene = layout_of(self), scene_of(context)
        if draw_job(layout, context, "render"):
            return
        draw_problem(layout, context, *OPERATORS)
        settings = of_scene(scene)
        column = layout.column()
        column.use_property_split, column.use_property_decorate = True, False
        column.prop(settings, "mask_cameras")
        column.prop(settings, "mask_folder")
        options = column.column(heading="Also Write", align=True)
        options.prop(settings, "mask_palette")
        options.prop(settings, "mask_exr")
        column.separator()
        column.prop(settings, "mask_overwrite")
        row = layout.row(align=True)
        row.scale_y = 1.3
        row.operator("cgc.render_masks", icon="RENDER_STILL")
        row.operator("cgc.look_at_masks", text="", icon="HIDE_OFF")
        capture = active_capture(context)
        if capture is None or not all_segments(capture):
            layout.label(text="Needs segments", icon="INFO")
        _draw_hidden(self, context)
        folder = _written_folder(settings.mask_folder)
        if folder:
            button = layout.operator("wm.path_open", text="Open Folder", icon="FILE_FOLDER")
            set_options(button, filepath=folder)


class CGC_PT_export(SidebarPanel, bpy.types.Panel):  # noqa: N801 - Blender's convention
    """Splats for viewers and other programs."""

    bl_label = "Export"
    bl_options = {"DEFAULT_CLOSED"}  # noqa: RUF012 - Blender's convention

    def draw(self, context: Context) -> None:
        """Draw one button for each kind of export."""
        layout = layout_of(self)
        say(layout, context, "Splats as they stand in the scene: PLY, SPZ, SOG, glTF.")
        column = layout.column(align=True)
        for what, text, icon in EXPORTS:
            set_options(column.operator("cgc.export_splat", text=text, icon=icon), what=what)


CLASSES = (CGC_PT_render_masks, CGC_PT_export)


def _written_folder(chosen: str) -> str:
    """Return the folder that masks were just written into, if it still is the one chosen."""
    state = jobs.current()
    if state is None or state.phase is not Phase.DONE or not state.result:
        return ""
    written = str(state.result.get("folder", ""))
    same = os.path.normpath(bpy.path.abspath(chosen)) == os.path.normpath(written)
    return written if state.verb == "render" and same else ""


def _draw_hidden(panel: bpy.types.Panel, context: Context) -> None:
    """Say what masks will show though the viewport does not."""
    capture = active_capture(context)
    hidden = [c for c in all_segments(capture) if only_in_renders(c)] if capture else []
    if hidden:
        names = hidden[0].name if len(hidden) == 1 else f"{len(hidden)} segments"
        text = f"Hidden in the viewport only, and so in masks: {names}."
        say(layout_of(panel), context, text, "INFO")
