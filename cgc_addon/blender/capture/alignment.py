# SPDX-License-Identifier: GPL-3.0-or-later
"""Level a capture and give it its true size, by objects that were put onto what is known of it.

Only the root Empty changes, so that nothing of the data is touched. Marks that do not hang on the
root go along with what they mark.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import bpy
import numpy as np
from bpy.props import BoolProperty, FloatProperty
from mathutils import Matrix, Vector
from numpy.typing import NDArray

from ...errors import CgcError
from ..common.access import of_object
from ..common.context import window_manager_of
from .cameras import camera_data
from .parts import active_capture, objects_of_kind, root_of, upright, wanted_capture

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems
    from bpy.types import Collection, Context, Event, Object

_LEAST_SPREAD = 1e-3
"""Three marks whose triangle is flatter than this, height by length, are in one line."""


def align_to_floor(capture: Collection, marks: Sequence[Object], *, at_zero: bool = True) -> None:
    """Turn a capture so that the plane through three marks is level, its cameras above it.

    Args:
        capture: to be turned, around the middle of the marks.
        marks: three objects on the floor.
        at_zero: also lift or lower it so that the floor is at height 0.

    Raises:
        CgcError: the marks are in one line, or the capture has lost its root.
    """
    corners = _origins(marks)
    sides = corners[1:] - corners[0]
    normal = np.cross(sides[0], sides[1])
    longest = max(np.linalg.norm(sides, axis=1).max(), np.linalg.norm(sides[1] - sides[0]))
    if np.linalg.norm(normal) <= _LEAST_SPREAD * longest**2:
        names = ", ".join(mark.name for mark in marks)
        raise CgcError(f"{names} are in one line, which is level at any turn; move one of them.")
    middle = corners.mean(axis=0)
    if normal @ (_above(capture, middle) - middle) < 0.0:
        normal = -normal
    pivot = Vector(tuple(middle))
    target = Vector((pivot.x, pivot.y, 0.0)) if at_zero else pivot
    turn = Matrix.Translation(target) @ upright(normal) @ Matrix.Translation(-pivot)
    _move(capture, marks, turn)


def set_scale(capture: Collection, marks: Sequence[Object], length: float) -> None:
    """Scale a capture around the world's origin until two marks are `length` apart.

    Args:
        capture: to be scaled; clip ranges and drawn sizes of its cameras follow.
        marks: two objects whose distance is known.
        length: scene units, > 0.

    Raises:
        CgcError: the marks are in one place, or the capture has lost its root.
    """
    distance = distance_of(marks)
    if distance < 1e-9:
        raise CgcError(f"{marks[0].name} and {marks[1].name} are in one place; move one of them.")
    factor = length / distance
    _move(capture, marks, Matrix.Diagonal((factor, factor, factor, 1.0)))
    for data in {camera_data(item) for item in objects_of_kind(capture, "CAMERA")}:
        data.clip_start *= factor
        data.clip_end *= factor
        data.display_size *= factor


def distance_of(marks: Sequence[Object]) -> float:
    """Return how far the origins of two objects are apart, scene units."""
    first, second = (mark.matrix_world.translation for mark in marks)
    return (first - second).length


def marks_of(context: Context) -> list[Object]:
    """Return the selected objects; the root, selected after an import, marks nothing."""
    selected = context.selected_objects
    return [item for item in selected if of_object(item).kind != "ROOT"]


def _above(capture: Collection, middle: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a place above the floor: among the cameras, or where the world's Z leads to."""
    cameras = objects_of_kind(capture, "CAMERA")
    if not cameras:
        return middle + np.array([0.0, 0.0, 1.0])
    root = root_of(capture).matrix_world  # Blender keeps no such matrix of cameras in hidden places
    return np.mean([(root @ item.matrix_basis.translation).to_tuple() for item in cameras], axis=0)


def _origins(items: Sequence[Object]) -> NDArray[np.float64]:
    """Return where objects are in the world, (N, 3)."""
    return np.array([item.matrix_world.to_translation().to_tuple() for item in items])


def _move(capture: Collection, marks: Sequence[Object], change: Matrix) -> None:
    root = root_of(capture)
    loose = [mark for mark in marks if not _hangs_on(mark, root)]
    places = [change @ mark.matrix_world.translation for mark in loose]
    root.matrix_world = change @ root.matrix_world
    for mark, place in zip(loose, places, strict=True):
        moved = mark.matrix_world.copy()
        moved.translation = place
        mark.matrix_world = moved


def _hangs_on(item: Object | None, root: Object) -> bool:
    while item is not None and item != root:
        item = item.parent
    return item == root


def _poll(operator: type[bpy.types.Operator], context: Context, count: str, number: int) -> bool:
    if active_capture(context) is None:
        operator.poll_message_set("Import a COLMAP capture first")
        return False
    if len(marks_of(context)) != number:
        operator.poll_message_set(f"Select {count} objects, for example empties")
        return False
    return True


class CGC_OT_align_to_floor(bpy.types.Operator):  # noqa: N801 - Blender's convention
    """`cgc.align_to_floor`."""

    bl_idname = "cgc.align_to_floor"
    bl_label = "Align to Floor"
    bl_description = "Turn the capture so that the plane through three selected objects is level"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012 - Blender's convention

    if TYPE_CHECKING:
        at_zero: bool
    else:
        at_zero: BoolProperty(
            name="Floor at Zero", description="Also bring the floor to height 0", default=True
        )

    @classmethod
    def poll(cls, context: Context) -> bool:
        """Ask for three marks."""
        return _poll(cls, context, "three", 3)

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        """Level the capture."""
        try:
            align_to_floor(wanted_capture(context), marks_of(context), at_zero=self.at_zero)
        except CgcError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        return {"FINISHED"}


class CGC_OT_set_scale(bpy.types.Operator):  # noqa: N801 - Blender's convention
    """`cgc.set_scale`."""

    bl_idname = "cgc.set_scale"
    bl_label = "Set Scale"
    bl_description = "Scale the capture so that two selected objects are a given length apart"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012 - Blender's convention

    if TYPE_CHECKING:
        length: float
    else:
        length: FloatProperty(
            name="Length",
            description="How far the two objects are apart in reality",
            subtype="DISTANCE",
            min=1e-6,
            default=1.0,
        )

    @classmethod
    def poll(cls, context: Context) -> bool:
        """Ask for two marks."""
        return _poll(cls, context, "two", 2)

    def invoke(self, context: Context, event: Event) -> set[OperatorReturnItems]:
        """Ask for the length, beginning with what it is now."""
        self.length = distance_of(marks_of(context))
        return window_manager_of(context).invoke_props_dialog(self)

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        """Scale the capture."""
        try:
            set_scale(wanted_capture(context), marks_of(context), self.length)
        except CgcError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        return {"FINISHED"}


CLASSES = (CGC_OT_align_to_floor, CGC_OT_set_scale)


def register() -> None:
    """Add the operators."""
    for cls in CLASSES:
        bpy.utils.register_class(cls)


def unregister() -> None:
    """Take them away again."""
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
