# SPDX-License-Identifier: GPL-3.0-or-later
"""Operators that show, hide and select segments, and change none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import bpy
from bpy.props import BoolProperty, IntProperty

from ...errors import CgcError
from ..capture.parts import wanted_capture
from ..common.context import view_layer_of
from . import selection
from .choice import (
    ACTIVE,
    OF_ACTIVE,
    SegmentChange,
    capture_around,
    leave_edit_mode,
    selected_segments,
    wanted_segment,
)
from .data import all_segments
from .visibility import end_isolation, isolate

if TYPE_CHECKING:
    from bpy.types import Context


class CGC_OT_isolate_segment(SegmentChange, bpy.types.Operator):  # noqa: N801
    """`cgc.isolate_segment`."""

    bl_idname = "cgc.isolate_segment"
    bl_label = "Isolate Segment"
    bl_description = (
        "Show a segment alone, or the segments of all selected objects; again: show what was "
        "shown before"
    )

    if TYPE_CHECKING:
        segment: int
    else:
        segment: IntProperty(
            name="Segment",
            description="Number of the segment; −1: those of the selected objects",
            min=-1,
            default=ACTIVE,
            options={"SKIP_SAVE"},
        )

    def change(self, context: Context) -> str:
        """Isolate, or bring back."""
        alone = selected_segments(context) if self.segment == ACTIVE else []
        if not alone:
            alone = [wanted_segment(context, self.segment)]
        capture = capture_around(context, alone[0])
        names = ", ".join(one.name for one in alone)
        if isolate(view_layer_of(context), capture, alone):
            return f"{names} alone is shown; isolate again to show what was shown before"
        return "Everything is shown as before"


class CGC_OT_hide_segment(SegmentChange, bpy.types.Operator):  # noqa: N801
    """`cgc.hide_segment`."""

    bl_idname = "cgc.hide_segment"
    bl_label = "Hide Segment"
    bl_description = "Hide a segment in viewports, renders, masks and exports, or show it"

    if TYPE_CHECKING:
        segment: int
        hide: bool
    else:
        segment: IntProperty(
            name="Segment", description=OF_ACTIVE, min=-1, default=ACTIVE, options={"SKIP_SAVE"}
        )
        hide: BoolProperty(
            name="Hide", description="Off: show it", default=True, options={"SKIP_SAVE"}
        )

    def change(self, context: Context) -> str:
        """Hide or show it."""
        collection = wanted_segment(context, self.segment)
        selection.show(collection, not self.hide)
        return f"{collection.name} is {'hidden' if self.hide else 'shown'}"


class CGC_OT_show_all_segments(SegmentChange, bpy.types.Operator):  # noqa: N801
    """`cgc.show_all_segments`."""

    bl_idname = "cgc.show_all_segments"
    bl_label = "Show All Segments"
    bl_description = "Show every segment of the capture"

    def change(self, context: Context) -> str:
        """Show them."""
        capture = wanted_capture(context)
        for collection in all_segments(capture):
            selection.show(collection, True)
        end_isolation(capture)
        return "All segments are shown"


class CGC_OT_select_segment(SegmentChange, bpy.types.Operator):  # noqa: N801
    """`cgc.select_segment`."""

    bl_idname = "cgc.select_segment"
    bl_label = "Select Segment"
    bl_description = "Select the objects of a segment and make one of them active"

    if TYPE_CHECKING:
        segment: int
        extend: bool
    else:
        segment: IntProperty(
            name="Segment", description=OF_ACTIVE, min=-1, default=ACTIVE, options={"SKIP_SAVE"}
        )
        extend: BoolProperty(
            name="Extend", description="Keep what is selected", options={"SKIP_SAVE"}
        )

    def change(self, context: Context) -> str:
        """Select them."""
        collection = wanted_segment(context, self.segment)
        if not selection.is_shown(collection):
            raise CgcError(f"{collection.name} is hidden or empty; show it, then select it.")
        leave_edit_mode(context)
        if self.extend:
            selection.select(collection, True)
        else:
            selection.make_active(collection)
        return f"{collection.name} is selected"


CLASSES = (
    CGC_OT_isolate_segment,
    CGC_OT_hide_segment,
    CGC_OT_show_all_segments,
    CGC_OT_select_segment,
)


def register() -> None:
    """Add the operators."""
    for cls in CLASSES:
        bpy.utils.register_class(cls)


def unregister() -> None:
    """Take them away again."""
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
