# SPDX-License-Identifier: GPL-3.0-or-later
"""The object under the mouse taken apart, or joined with its next neighbour, by the merge tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

import bpy

from ...errors import CgcError
from ..common.access import of_collection
from ..common.context import view_layer_of
from ..drawing.click_select import gaussian_seen
from ..segments import selection
from ..segments.choice import capture_around
from ..segments.data import collection_of, count_of
from ..segments.tree_steps import join_next, split_at
from .looking import Pointing

if TYPE_CHECKING:
    from bpy.types import Collection, Context, Object


def segment_seen(operator: Pointing, context: Context) -> tuple[Collection, Object, int]:
    """Return the segment that is seen where an operator points, its object, and the Gaussian.

    Raises:
        CgcError: no segment is seen there.
    """
    seen = gaussian_seen(context, operator.viewpoint(context), operator.x, operator.y)
    collection = None if seen is None else collection_of(seen[0])
    if seen is None or collection is None or of_collection(collection).kind != "SEGMENT":
        raise CgcError("No segment is seen there; point at an object.")
    return collection, seen[0], seen[1].gaussian


class CGC_OT_split_at(Pointing, bpy.types.Operator):  # noqa: N801 - Blender's convention
    """`cgc.split_at`."""

    bl_idname = "cgc.split_at"
    bl_label = "Split Segment Here"
    bl_description = (
        "Take the segment under the mouse apart where it was joined last, and select the part "
        "under the mouse"
    )

    def change(self, context: Context) -> str:
        """Split it."""
        collection, item, gaussian = segment_seen(self, context)
        capture = capture_around(context, collection)
        here, parts = split_at(capture, collection, item, gaussian)
        view_layer_of(context).update()  # else it does not know new objects
        selection.make_active(here)
        return f"Split into {', '.join(part.name for part in parts)}"


class CGC_OT_join_next(Pointing, bpy.types.Operator):  # noqa: N801 - Blender's convention
    """`cgc.join_next`."""

    bl_idname = "cgc.join_next"
    bl_label = "Join Segment with Next"
    bl_description = (
        "Join the segment under the mouse with what it belongs together with next, as far as the "
        "masks show"
    )

    def change(self, context: Context) -> str:
        """Join it."""
        collection, _, _ = segment_seen(self, context)
        names = join_next(capture_around(context, collection), collection)
        selection.make_active(collection)
        return f"{collection.name} took in {', '.join(names)}: {count_of(collection):,} Gaussians"


CLASSES = (CGC_OT_split_at, CGC_OT_join_next)


def register() -> None:
    """Add the operators."""
    for cls in CLASSES:
        bpy.utils.register_class(cls)


def unregister() -> None:
    """Take them away again."""
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
