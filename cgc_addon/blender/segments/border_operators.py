# SPDX-License-Identifier: GPL-3.0-or-later
"""Operators that move the border of a segment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import bpy
from bpy.props import BoolProperty, FloatProperty, IntProperty

from ...errors import CgcError
from ..common.access import of_collection
from . import borders
from .choice import (
    ACTIVE,
    OF_ACTIVE,
    SegmentChange,
    capture_around,
    leave_edit_mode,
    wanted_segment,
)
from .data import count_of

if TYPE_CHECKING:
    from bpy.types import Collection, Context


class BorderChange(SegmentChange):
    """What growing and shrinking have in common."""

    if TYPE_CHECKING:
        segment: int
        reach: float
        unassigned: bool
    else:
        segment: IntProperty(
            name="Segment", description=OF_ACTIVE, min=-1, default=ACTIVE, options={"SKIP_SAVE"}
        )
        reach: FloatProperty(
            name="Reach",
            description="How far the border moves, in typical distances between Gaussians",
            min=0.01,
            soft_max=10.0,
            default=1.0,
            options={"SKIP_SAVE"},
        )
        unassigned: BoolProperty(
            name="Unassigned Too",
            description="Gaussians in no segment are neighbours as well",
            options={"SKIP_SAVE"},
        )

    def wanted(self, context: Context) -> tuple[Collection, Collection]:
        """Return the capture and the segment to change.

        Raises:
            CgcError: no segment is meant.
        """
        collection = wanted_segment(context, self.segment)
        if of_collection(collection).kind != "SEGMENT":
            raise CgcError(f"{collection.name} has no border; make an object of a segment active.")
        leave_edit_mode(context)
        return capture_around(context, collection), collection


class CGC_OT_grow_segment(BorderChange, bpy.types.Operator):  # noqa: N801 - Blender's convention
    """`cgc.grow_segment`."""

    bl_idname = "cgc.grow_segment"
    bl_label = "Grow Segment"
    bl_description = "Take the Gaussians of neighbours that are next to the segment into it"

    def change(self, context: Context) -> str:
        """Grow it."""
        capture, collection = self.wanted(context)
        taken = borders.grow(capture, collection, self.reach, self.unassigned)
        return f"{collection.name} took in {taken:,} Gaussians and has {count_of(collection):,} now"


class CGC_OT_shrink_segment(BorderChange, bpy.types.Operator):  # noqa: N801
    """`cgc.shrink_segment`."""

    bl_idname = "cgc.shrink_segment"
    bl_label = "Shrink Segment"
    bl_description = "Give the Gaussians of the segment that are next to neighbours to these"

    def change(self, context: Context) -> str:
        """Shrink it."""
        capture, collection = self.wanted(context)
        given = borders.shrink(capture, collection, self.reach, self.unassigned)
        return f"{collection.name} gave {given:,} Gaussians and has {count_of(collection):,} now"


CLASSES = (CGC_OT_grow_segment, CGC_OT_shrink_segment)


def register() -> None:
    """Add the operators."""
    for cls in CLASSES:
        bpy.utils.register_class(cls)


def unregister() -> None:
    """Take them away again."""
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
