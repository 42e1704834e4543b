# SPDX-License-Identifier: GPL-3.0-or-later
"""Operators that change segments; those that only show them are in `visibility_operators`.

Each says in its `change` what it did; a CgcError that comes up there has changed nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import bpy
from bpy.props import BoolProperty, FloatProperty, IntProperty, StringProperty

from ...errors import CgcError
from ..capture.parts import wanted_capture
from ..common.access import of_collection
from ..common.buttons import layout_of, set_options
from ..common.context import window_manager_of
from . import edits, menu, visibility_operators
from .choice import (
    ACTIVE,
    OF_ACTIVE,
    SegmentChange,
    capture_around,
    chosen_gaussians,
    leave_edit_mode,
    selected_segments,
    wanted_segment,
)
from .data import count_of, splats_of
from .merge_tree import has_tree
from .recut import recut

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems
    from bpy.types import Context, Event


class CGC_OT_recut_segments(SegmentChange, bpy.types.Operator):  # noqa: N801 - Blender's convention
    """`cgc.recut_segments`."""

    bl_idname = "cgc.recut_segments"
    bl_label = "Recut Segments"
    bl_description = (
        "Separate the splat into finer or coarser objects. Segments that stay the same, pinned "
        "ones and those with copies are left as they are"
    )

    if TYPE_CHECKING:
        granularity: float
        minimum_size: int
    else:
        granularity: FloatProperty(
            name="Granularity",
            description="From parts of objects at 0 to whole objects at 1; that of the capture if "
            "not given",
            subtype="FACTOR",
            min=0.0,
            max=1.0,
            options={"SKIP_SAVE"},
        )
        minimum_size: IntProperty(
            name="Smallest Segment",
            description="Gaussians that a segment needs; that of the capture if not given",
            min=1,
            soft_max=1000,
            default=10,
            options={"SKIP_SAVE"},
        )

    @classmethod
    def poll(cls, context: Context) -> bool:
        """Need a capture that was separated; segments may all have been deleted."""
        try:
            separated = has_tree(wanted_capture(context))
        except CgcError:
            separated = False
        if not separated:
            cls.poll_message_set("There are no segments; train, or import a run")
        return separated

    def change(self, context: Context) -> str:
        """Cut the merge tree anew."""
        capture = wanted_capture(context)
        properties = self.properties
        if not properties.is_property_set("granularity"):
            self.granularity = of_collection(capture).granularity
        if not properties.is_property_set("minimum_size"):
            self.minimum_size = of_collection(capture).minimum_size
        leave_edit_mode(context)
        result = recut(capture, self.granularity, self.minimum_size)
        by_hand = f", {result.by_hand} of them made by hand" if result.by_hand else ""
        return f"{result.segments} segments, {result.kept} as they were{by_hand}"


class CGC_OT_merge_segments(SegmentChange, bpy.types.Operator):  # noqa: N801 - Blender's convention
    """`cgc.merge_segments`."""

    bl_idname = "cgc.merge_segments"
    bl_label = "Merge Segments"
    bl_description = "Put the segments of the selected objects into that of the active object"

    def change(self, context: Context) -> str:
        """Merge what is selected."""
        into = wanted_segment(context, ACTIVE)
        merged = selected_segments(context)
        leave_edit_mode(context)
        edits.merge_segments(capture_around(context, into), merged, into)
        return f"{into.name} has {count_of(into):,} Gaussians now"


class CGC_OT_split_segment(SegmentChange, bpy.types.Operator):  # noqa: N801 - Blender's convention
    """`cgc.split_segment`."""

    bl_idname = "cgc.split_segment"
    bl_label = "Split Segment"
    bl_description = "Take a segment apart where it was joined last"

    if TYPE_CHECKING:
        segment: int
    else:
        segment: IntProperty(
            name="Segment", description=OF_ACTIVE, min=-1, default=ACTIVE, options={"SKIP_SAVE"}
        )

    def change(self, context: Context) -> str:
        """Split it."""
        collection = wanted_segment(context, self.segment)
        leave_edit_mode(context)
        parts = edits.split_segment(capture_around(context, collection), collection)
        return f"Split into {', '.join(part.name for part in parts)}"


class CGC_OT_assign_to_segment(SegmentChange, bpy.types.Operator):  # noqa: N801
    """`cgc.assign_to_segment`."""

    bl_idname = "cgc.assign_to_segment"
    bl_label = "Assign to Segment"
    bl_description = (
        "Move the selected objects, or in Edit Mode the selected points, into a segment"
    )

    if TYPE_CHECKING:
        segment: int
        new: bool
    else:
        segment: IntProperty(
            name="Segment",
            description=OF_ACTIVE,
            min=-1,
            default=ACTIVE,
            options={"SKIP_SAVE"},
        )
        new: BoolProperty(
            name="New Segment", description="Make a new segment of them", options={"SKIP_SAVE"}
        )

    def invoke(self, context: Context, event: Event) -> set[OperatorReturnItems]:
        """Ask which segment is meant where it cannot be that of the object being edited."""
        if context.mode == "EDIT_POINTCLOUD" and self.segment == ACTIVE and not self.new:
            return cast("set[OperatorReturnItems]", bpy.ops.wm.call_menu(name=menu.ASSIGN))
        return self.execute(context)

    def change(self, context: Context) -> str:
        """Move what is selected."""
        target = None if self.new else wanted_segment(context, self.segment)
        capture = wanted_capture(context) if target is None else capture_around(context, target)
        chosen = chosen_gaussians(context, capture)
        leave_edit_mode(context)
        filled = edits.assign(capture, chosen, target)
        return f"{filled.name} has {count_of(filled):,} Gaussians now"


class CGC_OT_unassign(SegmentChange, bpy.types.Operator):  # noqa: N801 - Blender's convention
    """`cgc.unassign`."""

    bl_idname = "cgc.unassign"
    bl_label = "Unassign"
    bl_description = (
        "Take the selected objects, or in Edit Mode the selected points, out of their segments"
    )

    def change(self, context: Context) -> str:
        """Move what is selected into Unassigned."""
        capture = wanted_capture(context)
        chosen = chosen_gaussians(context, capture)
        leave_edit_mode(context)
        filled = edits.unassign(capture, chosen)
        return f"{filled.name} has {count_of(filled):,} Gaussians now"


class CGC_OT_pin_segment(SegmentChange, bpy.types.Operator):  # noqa: N801 - Blender's convention
    """`cgc.pin_segment`."""

    bl_idname = "cgc.pin_segment"
    bl_label = "Pin Segment"
    bl_description = "Keep a segment as it is when the granularity changes, or no longer"

    if TYPE_CHECKING:
        segment: int
        pinned: bool
    else:
        segment: IntProperty(
            name="Segment", description=OF_ACTIVE, min=-1, default=ACTIVE, options={"SKIP_SAVE"}
        )
        pinned: BoolProperty(name="Pinned", default=True, options={"SKIP_SAVE"})

    def change(self, context: Context) -> str:
        """Pin or unpin it."""
        collection = wanted_segment(context, self.segment)
        edits.pin(collection, self.pinned)
        return f"{collection.name} is {'pinned' if self.pinned else 'no longer pinned'}"


class CGC_OT_rename_segment(SegmentChange, bpy.types.Operator):  # noqa: N801 - Blender's convention
    """`cgc.rename_segment`."""

    bl_idname = "cgc.rename_segment"
    bl_label = "Rename Segment"
    bl_description = "Name a segment, its collection and its objects"

    if TYPE_CHECKING:
        segment: int
        name: str  # pyright: ignore[reportIncompatibleMethodOverride] - hides the operator's own
    else:
        segment: IntProperty(
            name="Segment", description=OF_ACTIVE, min=-1, default=ACTIVE, options={"SKIP_SAVE"}
        )
        name: StringProperty(name="Name", options={"SKIP_SAVE"})

    def invoke(self, context: Context, event: Event) -> set[OperatorReturnItems]:
        """Ask for the name."""
        try:
            set_options(self.properties, name=wanted_segment(context, self.segment).name)
        except CgcError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        return window_manager_of(context).invoke_props_dialog(self)

    def draw(self, context: Context) -> None:
        """Show the name only."""
        layout_of(self).prop(self, "name")

    def change(self, context: Context) -> str:
        """Rename it."""
        collection = wanted_segment(context, self.segment)
        former = collection.name
        edits.rename_segment(collection, self.name)
        return f"{former} is called {collection.name} now"


class CGC_OT_delete_segments(SegmentChange, bpy.types.Operator):  # noqa: N801
    """`cgc.delete_segments`."""

    bl_idname = "cgc.delete_segments"
    bl_label = "Delete Segments"
    bl_description = "Delete the segments of the selected objects, with their Gaussians"

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
        """Delete them."""
        if self.segment == ACTIVE:
            doomed = selected_segments(context)
        else:
            doomed = [wanted_segment(context, self.segment)]
        if not doomed:
            raise CgcError("Nothing was deleted: select objects of segments first.")
        count = sum(len(splats_of(one)) > 0 for one in doomed)
        leave_edit_mode(context)
        edits.delete_segments(doomed)
        return f"Deleted {count} segments"


CLASSES = (
    CGC_OT_recut_segments,
    CGC_OT_merge_segments,
    CGC_OT_split_segment,
    CGC_OT_assign_to_segment,
    CGC_OT_unassign,
    CGC_OT_pin_segment,
    CGC_OT_rename_segment,
    CGC_OT_delete_segments,
)


def register() -> None:
    """Add the operators."""
    for cls in CLASSES:
        bpy.utils.register_class(cls)
    visibility_operators.register()
    menu.register()


def unregister() -> None:
    """Take them away again."""
    menu.unregister()
    visibility_operators.unregister()
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
