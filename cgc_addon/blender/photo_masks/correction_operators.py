# SPDX-License-Identifier: GPL-3.0-or-later
# pyright: reportInvalidTypeForm=false
"""Buttons and scripts that correct the masks of the photo that the camera looks at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import bpy
from bpy.props import StringProperty

from ...errors import CgcError
from . import overlay as mask_overlay
from . import review as mask_review
from .review_operators import has_cameras, reviewing

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems
    from bpy.types import Context, Scene

    _Operator = bpy.types.Operator
else:
    _Operator = object


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
        return has_cameras(cast("type[bpy.types.Operator]", cls), context)

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        """Change the masks of the photo that the scene's camera looks at."""
        try:
            mask_review.refresh(cast("Scene", context.scene))
            self.act()
        except CgcError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        mask_overlay.redraw()
        return {"FINISHED"}


def _ids() -> Any:
    return StringProperty(
        name="Masks",
        description="Numbers of the masks, with spaces between them; empty: those picked",
        options={"SKIP_SAVE"},
    )


class CGC_OT_mark_mask_wrong(CorrectionOperator, bpy.types.Operator):  # noqa: N801
    """`cgc.mark_mask_wrong`."""

    bl_idname = "cgc.mark_mask_wrong"
    bl_label = "Mark Wrong"
    bl_description = "Take the masks that are picked away: training learns nothing from them"

    ids: _ids()

    def act(self) -> None:
        _pick_all(self.ids)
        mask_review.mark_wrong()


class CGC_OT_merge_masks(CorrectionOperator, bpy.types.Operator):  # noqa: N801
    """`cgc.merge_masks`."""

    bl_idname = "cgc.merge_masks"
    bl_label = "Merge Masks"
    bl_description = "Make one mask of those that are picked, or of the one and the next click"

    ids: _ids()

    def act(self) -> None:
        _pick_all(self.ids)
        if self.ids or not reviewing():
            mask_review.merge_picked()
        else:
            mask_review.begin_merge()


class CGC_OT_undo_mask_correction(CorrectionOperator, bpy.types.Operator):  # noqa: N801
    """`cgc.undo_mask_correction`."""

    bl_idname = "cgc.undo_mask_correction"
    bl_label = "Undo Correction"
    bl_description = "Take back the last correction of the masks of this photo"

    def act(self) -> None:
        mask_review.undo_last()


class CGC_OT_restore_masks(CorrectionOperator, bpy.types.Operator):  # noqa: N801
    """`cgc.restore_masks`."""

    bl_idname = "cgc.restore_masks"
    bl_label = "Restore Masks"
    bl_description = "Bring back the masks of this photo as they were before any correction"

    def act(self) -> None:
        mask_review.restore_all()


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
    mask_review.pick(0)
    for number in dict.fromkeys(numbers):
        mask_review.pick(number, more=True)
