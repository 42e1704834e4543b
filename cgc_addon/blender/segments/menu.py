# SPDX-License-Identifier: GPL-3.0-or-later
"""Segments in Blender's own menus, where the search finds them, and shortcuts can be given."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import bpy

from ..capture.parts import active_capture, segment_collections
from ..common.access import of_collection
from ..common.buttons import layout_of
from ..splats.objects import is_splat

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import IconItems
    from bpy.types import Context, Menu

ASSIGN = "CGC_MT_assign_to_segment"


class CGC_MT_assign_to_segment(bpy.types.Menu):  # noqa: N801 - Blender's convention
    """The segments that what is selected can be moved into."""

    bl_idname = ASSIGN
    bl_label = "Assign to Segment"

    def draw(self, context: Context) -> None:
        """List them by number."""
        layout = layout_of(self)
        layout.operator("cgc.assign_to_segment", text="New Segment", icon="ADD").new = True
        layout.operator("cgc.unassign", icon="X")
        layout.separator()
        capture = active_capture(context)
        for collection in segment_collections(capture) if capture else ():
            tag = collection.color_tag
            icon = cast("IconItems", "NONE" if tag == "NONE" else f"COLLECTION_{tag}")
            entry = layout.operator("cgc.assign_to_segment", text=collection.name, icon=icon)
            entry.segment = of_collection(collection).segment


class CGC_MT_segments(bpy.types.Menu):  # noqa: N801 - Blender's convention
    """What can be done with segments."""

    bl_idname = "CGC_MT_segments"
    bl_label = "Segments"

    def draw(self, context: Context) -> None:
        """List the operators."""
        layout = layout_of(self)
        layout.operator("cgc.recut_segments")
        layout.separator()
        layout.operator("cgc.merge_segments")
        layout.operator("cgc.split_segment")
        layout.menu(ASSIGN)
        layout.operator("cgc.unassign")
        layout.operator("cgc.grow_segment")
        layout.operator("cgc.shrink_segment")
        layout.separator()
        layout.operator("cgc.pin_segment")
        layout.operator("cgc.pin_segment", text="Unpin Segment").pinned = False
        layout.operator("cgc.rename_segment")
        layout.operator("cgc.delete_segments")
        layout.separator()
        layout.operator("cgc.clean_up")
        layout.operator("cgc.restore_from_bin")
        layout.separator()
        layout.operator("cgc.select_segment")
        layout.operator("cgc.isolate_segment")
        layout.operator("cgc.hide_segment")
        layout.operator("cgc.show_all_segments")
        layout.separator()
        layout.operator("cgc.write_segments_to_run")


def _entry(menu: Menu, context: Context) -> None:
    if is_splat(context.active_object):
        layout = layout_of(menu)
        layout.separator()
        layout.menu(CGC_MT_segments.bl_idname)


CLASSES = (CGC_MT_assign_to_segment, CGC_MT_segments)
HOSTS = ("VIEW3D_MT_object", "VIEW3D_MT_object_context_menu", "VIEW3D_MT_edit_pointcloud")


def register() -> None:
    """Add the menus."""
    for cls in CLASSES:
        bpy.utils.register_class(cls)
    for name in HOSTS:
        getattr(bpy.types, name).append(_entry)


def unregister() -> None:
    """Take them away again."""
    for name in HOSTS:
        getattr(bpy.types, name).remove(_entry)
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
