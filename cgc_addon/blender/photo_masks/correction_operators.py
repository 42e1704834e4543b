# SPDX-License-Identifier: GPL-3.0-or-later
"""Buttons and scripts that correct the masks of the photo that the camera looks at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import bpy
from bpy.props import StringProperty

from ...errors import CgcError
from ..common.context import scene_of
from . import overlay, review
from .review_operators import has_cameras, reviewing

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems
    from bpy.types import Context

    _Operator = bpy.types.Operator
else:
    _Operator = object


IDS = "Numbers of the masks, with spaces between them; empty: those picked"


class CorrectionOperator(_Operator):
    """What the buttons that change masks share."""

    bl_options = {"REGISTER"}  # noqa: RUF012 - Blender's convention

    def act(self) -> None:
        """Change the masks.

        Raises:
            CgcError: that cannot be done.
        """
        raise NotImplementedError

    @classmethod
    def poll(cls, context: Context) -> bool:
        """Ask for the camera of a photo."""
        return has_cameras(cls, context)

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        """Change the masks of the photo that the scene's camera looks at."""
        try:
            review.refresh(scene_of(context))
            self.act()
        except CgcError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        overlay.redraw()
        return {"FINISHED"}


class CGC_OT_mark_mask_wrong(CorrectionOperator, bpy.types.Operator):  # noqa: N801
    """`cgc.mark_mask_wrong`."""

    bl_idname = "cgc.mark_mask_wrong"
    bl_label = "Mark Wrong"
    bl_description = "Take the masks that are picked away: training learns nothing from them"

    if TYPE_CHECKING:
        ids: str
    else:
        ids: StringProperty(name="Masks", description=IDS, options={"SKIP_SAVE"})

    def act(self) -> None:
        _pick_all(self.ids)
        review.mark_wrong()


class CGC_OT_merge_masks(CorrectionOperator, bpy.types.Operator):  # noqa: N801
    """`cgc.merge_masks`."""

    bl_idname = "cgc.merge_masks"
    bl_label = "Merge Masks"
    bl_description = "Make one mask of those that are picked, or of the one and the next click"

    if TYPE_CHECKING:
        ids: str
    else:
        ids: StringProperty(name="Masks", description=IDS, options={"SKIP_SAVE"})

    def act(self) -> None:
        _pick_all(self.ids)
        if self.ids or not reviewing():
            review.merge_picked()
        else:
            review.begin_merge()


class CGC_OT_undo_mask_correction(CorrectionOperator, bpy.types.Operator):  # noqa: N801
    """`cgc.undo_mask_correction`."""

    bl_idname = "cgc.undo_mask_correction"
    bl_label = "Undo Correction"
    bl_description = "Take back the last correction of the masks of this photo"

    def act(self) -> None:
        review.undo_last()


class CGC_OT_restore_masks(CorrectionOperator, bpy.types.Operator):  # noqa: N801
    """`cgc.restore_masks`."""

    bl_idname = "cgc.restore_masks"
    bl_label = "Restore Masks"
    bl_description = "Bring back the masks of this photo as they were before any correction"

    def act(self) -> None:
        review.restore_all()


CLASSES = (
    CGC_OT_mark_mask_wrong,
    CGC_OT_merge_masks,
    CGC_OT_undo_mask_correction,
    CGC_OT_restore_masks,
)


def register() -> None:
    """Register the operators."""
    for cls in CLASSES:
        bpy.utils.register_class(cls)


def unregister() -> None:
    """Take them away again."""
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)


def _pick_all(ids: str) -> None:
    """Pick the masks of a script.

    Raises:
        CgcError: what is given are no numbers.
    """
    if not ids.strip():
        return
    try:
        numbers = [int(word) for word in ids.replace(",", " ").split()]
    except ValueError:
        raise CgcError(f"{ids!r} are no numbers of masks; write them like “3 17”.") from None
    review.pick(0)
    for number in dict.fromkeys(numbers):
        review.pick(number, more=True)
