# SPDX-License-Identifier: GPL-3.0-or-later
"""What operators on segments have in common: which segments and Gaussians they are meant for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, cast

import bpy
import numpy as np
from numpy.typing import NDArray

from ...errors import CgcError
from ..capture.later_versions import check_version
from ..capture.parts import (
    active_capture,
    capture_of,
    captures,
    segment_collections,
    wanted_capture,
)
from ..common.access import of_collection, of_object
from ..common.context import scene_of, view_layer_of
from ..common.spoken import spoken
from ..splats.objects import data_of, is_splat
from .data import PARTS, collection_of

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems
    from bpy.types import BoolAttribute, Collection, Context, Object

    _Operator = bpy.types.Operator
else:
    _Operator = object

ACTIVE = -1
"""Stands for the segment of the active object."""
OF_ACTIVE = "Number of the segment; −1: that of the active object"
SELECTION = ".selection"
"""Attribute in which Blender keeps which points are selected in Edit Mode."""


class SegmentChange(_Operator):
    """What operators on segments have in common."""

    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012 - Blender's convention
    refusal: Literal["ERROR", "WARNING"] = "ERROR"
    """How it is said that something cannot be done: scripts see errors alone, and the window shows
    them in the way of the mouse."""

    @classmethod
    def poll(cls, context: Context) -> bool:
        """Need segments."""
        if not has_segments(context):
            cls.poll_message_set("There are no segments; train, or import a run")
            return False
        return True

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        """Change something and report what."""
        capture = active_capture(context)
        try:
            if capture is not None:
                check_version(capture)
            done = self.change(context)
        except CgcError as error:
            self.report({self.refusal}, spoken(error))
            return {"CANCELLED"}
        if capture is not None:
            _stay_in(context, capture)
        self.report({"INFO"}, done)
        return {"FINISHED"}

    def change(self, context: Context) -> str:
        """Change something and return a sentence for the user.

        Raises:
            CgcError: it cannot be done; nothing has changed.
        """
        raise NotImplementedError


def has_segments(context: Context) -> bool:
    """Return whether the active capture has segments."""
    capture = active_capture(context)
    return capture is not None and bool(segment_collections(capture))


def capture_around(context: Context, collection: Collection) -> Collection:
    """Return the capture of a segment, which need not be the active one.

    Raises:
        CgcError: the segment is in no capture, as one that was appended alone, or in one that a
            later version of the extension wrote.
    """
    for capture in captures(scene_of(context)):
        if collection in capture.children_recursive:
            check_version(capture)
            return capture
    raise CgcError(f"{collection.name} is in no capture of this scene; put it into one first.")


def wanted_segment(context: Context, number: int) -> Collection:
    """Return the segment with a number in the active capture, 0 for Unassigned.

    Args:
        context: for `ACTIVE`: whose active object is in the segment, or whose active collection
            it is.
        number: of a segment, or `ACTIVE`.

    Raises:
        CgcError: there is none.
    """
    if number != ACTIVE:
        return _numbered(wanted_capture(context), number)
    layer = view_layer_of(context)
    active = layer.objects.active
    found = collection_of(active) if active is not None else None
    within = layer.active_layer_collection
    if found is None and within is not None and of_collection(within.collection).kind in PARTS:
        found = within.collection
    if found is None:
        raise CgcError("No segment is active: make one of its objects active, or name its number.")
    return found


def selected_segments(context: Context) -> list[Collection]:
    """Return the segments that selected objects are in, Unassigned too, each once."""
    found = [collection_of(item) for item in context.selected_objects or ()]
    return list(dict.fromkeys(one for one in found if one is not None))


def chosen_gaussians(
    context: Context, capture: Collection
) -> dict[Object, NDArray[np.bool_] | None]:
    """Return the Gaussians that are selected in a capture.

    In Edit Mode they are the selected points (N,), in any other mode selected objects as a whole.
    """
    points = context.mode == "EDIT_POINTCLOUD"
    items = context.objects_in_mode if points else context.selected_objects
    return {
        item: _selected_points(item) if points else None
        for item in items or ()
        if is_splat(item) and capture_of(item) == capture and collection_of(item) is not None
    }


def leave_edit_mode(context: Context) -> None:
    """Go to Object Mode, where objects can be changed, made and removed, and undone as one."""
    if context.mode != "OBJECT":
        bpy.ops.object.mode_set(mode="OBJECT")


def _stay_in(context: Context, capture: Collection) -> None:
    """Make a capture's root active if the active object was removed: it may not be the only one."""
    objects = view_layer_of(context).objects
    roots = [item for item in capture.objects if of_object(item).kind == "ROOT"]
    if objects.active is None and roots and objects.get(roots[0].name) == roots[0]:
        objects.active = roots[0]


def _numbered(capture: Collection, number: int) -> Collection:
    for collection in capture.children_recursive:
        settings = of_collection(collection)
        if settings.kind in PARTS and settings.segment == number:
            return collection
    raise CgcError(f"{capture.name} has no segment {number}.")


def _selected_points(item: Object) -> NDArray[np.bool_]:
    cloud = data_of(item)
    selected = np.ones(len(cloud.points), bool)
    attribute = cloud.attributes.get(SELECTION)
    if attribute is not None and attribute.domain == "POINT":
        cast("BoolAttribute", attribute).data.foreach_get("value", selected)
    return selected
