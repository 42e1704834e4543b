# SPDX-License-Identifier: GPL-3.0-or-later
"""The operator that puts the origin of splats where one wants it: their middle, base or capture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import bpy
import numpy as np
from bpy.props import EnumProperty
from numpy.typing import NDArray

from ...errors import CgcError
from ..capture.parts import capture_of, root_of
from ..common.buttons import layout_of
from ..common.world_matrix import world_matrix
from .objects import data_of
from .origins import base_of, middle_of, move_origin, offset_of, world_positions
from .selected import can_change_splats, selected_splats

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems
    from bpy.types import Context, Depsgraph, Menu, Object

PLACES = (
    ("MIDDLE", "Middle", "The middle of the body, floaters left out: turn and scale it in place"),
    ("BASE", "Base", "The middle of what the body stands on, along the world's Z"),
    ("CAPTURE", "Capture", "The origin of the capture, which all its objects can have in common"),
)


def set_origin(item: Object, place: str, depsgraph: Depsgraph) -> None:
    """Move the origin of a splat.

    Args:
        item: splat.
        place: of `PLACES`.
        depsgraph: knows where things are.

    Raises:
        CgcError: it cannot be moved, is in no capture, or has no Gaussians.
    """
    if not len(data_of(item).points):
        raise CgcError(f"{item.name} has no Gaussians, so it has no middle.")
    outer = np.eye(4)
    if item.parent is not None:
        inverse = np.array(item.matrix_parent_inverse, dtype=np.float64)
        outer = world_matrix(item.parent, depsgraph) @ inverse
    if place == "CAPTURE":
        capture = capture_of(item)
        if capture is None:
            raise CgcError(f"{item.name} is in no capture, so it has no origin of one.")
        root = root_of(capture)
        if item.parent == root and offset_of(item) is not None:
            move_origin(item, np.zeros(3))
            return
        wanted = world_matrix(root, depsgraph)[:3, 3]
    else:
        positions, opacities = world_positions(item, world_matrix(item, depsgraph))
        wanted = (middle_of if place == "MIDDLE" else base_of)(positions, opacities)
    move_origin(item, _inside(outer, wanted, item))


def _inside(
    outer: NDArray[np.float64], wanted: NDArray[np.float64], item: Object
) -> NDArray[np.float64]:
    """Return a place (3,) of the world in a frame (4, 4)."""
    try:
        return np.linalg.solve(outer[:3, :3], wanted - outer[:3, 3])
    except np.linalg.LinAlgError:
        raise CgcError(
            f"What {item.name} hangs on has a scale of zero; give every axis a scale first."
        ) from None


class CGC_OT_set_splat_origin(bpy.types.Operator):  # noqa: N801 - Blender's convention
    """`cgc.set_splat_origin`."""

    bl_idname = "cgc.set_splat_origin"
    bl_label = "Set Origin (Splat)"
    bl_description = "Choose what the selected splats turn and scale around; they stay as they are"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012 - Blender's convention

    if TYPE_CHECKING:
        place: str
    else:
        place: EnumProperty(name="Place", items=PLACES, default="MIDDLE")

    @classmethod
    def poll(cls, context: Context) -> bool:
        """Want a splat selected, and no edit mode."""
        return can_change_splats(cls, context, any_chosen=bool(selected_splats(context)))

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        """Move the origins; those that share their data have one in common."""
        depsgraph = context.evaluated_depsgraph_get()
        moved = set()
        try:
            for item in selected_splats(context):
                if item.data not in moved:
                    set_origin(item, self.place, depsgraph)
                    moved.add(item.data)
        except CgcError as error:
            self.report({"ERROR"}, str(error))
            return {"FINISHED"} if moved else {"CANCELLED"}
        return {"FINISHED"}


def _menu_entry(menu: Menu, context: Context) -> None:
    if selected_splats(context):
        layout = layout_of(menu)
        layout.operator_menu_enum(CGC_OT_set_splat_origin.bl_idname, "place")


def register() -> None:
    """Add the operator and its entries in the menu Object > Apply and in the context menu."""
    bpy.utils.register_class(CGC_OT_set_splat_origin)
    for menu in (bpy.types.VIEW3D_MT_object_apply, bpy.types.VIEW3D_MT_object_context_menu):
        menu.append(_menu_entry)


def unregister() -> None:
    """Take them away again."""
    for menu in (bpy.types.VIEW3D_MT_object_apply, bpy.types.VIEW3D_MT_object_context_menu):
        menu.remove(_menu_entry)
    bpy.utils.unregister_class(CGC_OT_set_splat_origin)
