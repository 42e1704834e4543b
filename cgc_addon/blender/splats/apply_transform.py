# SPDX-License-Identifier: GPL-3.0-or-later
"""Apply the transform of a splat to its Gaussians.

Blender's own Apply moves the points alone; rotations, scales and harmonics would stay behind.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import bpy
import numpy as np
from mathutils import Matrix

from ...errors import CgcError
from ...splats.gaussians import Gaussians
from ...splats.transform import transform
from ..common.access import of_object
from ..common.buttons import layout_of
from .objects import clusters_of, data_of, gaussians_of, indices_of, replace_gaussians
from .origins import offset_of
from .selected import can_change_splats, selected_splats

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems
    from bpy.types import Context, Menu, Object


def apply_transform(items: Sequence[Object]) -> None:
    """Move the transform of splats, without that of their parents, into their Gaussians.

    The picture stays the same. An object that shares its data gets data of its own; what is
    parented to it stays where it is.

    Raises:
        CgcError: an object has a scale of zero or belongs to another file; none was changed.
    """
    moved = [(item, _moved(item)) for item in items if item.matrix_basis != Matrix.Identity(4)]
    for item, gaussians in moved:
        if data_of(item).users > 1:
            item.data = data_of(item).copy()
        replace_gaussians(item, gaussians, indices_of(item), clusters_of(item))
        for child in item.children:
            child.matrix_parent_inverse = item.matrix_basis @ child.matrix_parent_inverse
        _reset(item)
        of_object(item).origin = (0.0, 0.0, 0.0)


def _moved(item: Object) -> Gaussians:
    if not (item.is_editable and data_of(item).is_editable):
        raise CgcError(f"{item.name} is linked from another file; make it local first.")
    offset = offset_of(item)
    if offset is not None:
        return gaussians_of(item, offset)
    try:
        return transform(gaussians_of(item), np.array(item.matrix_basis, dtype=np.float64))
    except CgcError as error:
        raise CgcError(f"{item.name}: {error}") from error


def _reset(item: Object) -> None:
    item.delta_location = item.delta_rotation_euler = (0.0, 0.0, 0.0)
    item.delta_rotation_quaternion = (1.0, 0.0, 0.0, 0.0)
    item.delta_scale = (1.0, 1.0, 1.0)
    item.matrix_basis = Matrix.Identity(4)


class CGC_OT_apply_splat_transform(bpy.types.Operator):  # noqa: N801 - Blender's convention
    """`cgc.apply_splat_transform`."""

    bl_idname = "cgc.apply_splat_transform"
    bl_label = "Apply Transform (Splat)"
    bl_description = (
        "Move location, rotation and scale of the selected splats into their Gaussians, "
        "colours that change with the direction included"
    )
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012 - Blender's convention

    @classmethod
    def poll(cls, context: Context) -> bool:
        """Want a splat selected, and no edit mode."""
        return can_change_splats(cls, context, any_chosen=bool(selected_splats(context)))

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        """Apply all of them or none."""
        try:
            apply_transform(selected_splats(context))
        except CgcError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        return {"FINISHED"}


def _menu_entry(menu: Menu, context: Context) -> None:
    if selected_splats(context):
        layout = layout_of(menu)
        layout.separator()
        layout.operator(CGC_OT_apply_splat_transform.bl_idname)


def register() -> None:
    """Add the operator and its entry in Object > Apply."""
    bpy.utils.register_class(CGC_OT_apply_splat_transform)
    bpy.types.VIEW3D_MT_object_apply.append(_menu_entry)


def unregister() -> None:
    """Take them away again."""
    bpy.types.VIEW3D_MT_object_apply.remove(_menu_entry)
    bpy.utils.unregister_class(CGC_OT_apply_splat_transform)
