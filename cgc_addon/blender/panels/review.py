# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel "Review" below "Masks": the masks of one photo, seen and corrected."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import bpy

from ..common.access import of_scene
from ..photo_masks import overlay as mask_overlay
from ..photo_masks import review as mask_review
from ..photo_masks.review_operators import KEYS, reviewing, selection_sentence
from .layout import SidebarPanel, layout_of, say

if TYPE_CHECKING:
    from bpy.types import Context, Scene, UILayout


class CGC_PT_review_masks(SidebarPanel, bpy.types.Panel):  # noqa: N801 - Blender's convention
    """Show masks over the photo, and correct what is wrong."""

    bl_label = "Review"
    bl_parent_id = "CGC_PT_masks"
    bl_options = {"DEFAULT_CLOSED"}  # noqa: RUF012 - Blender's convention

    def draw(self, context: Context) -> None:
        """Draw what is shown, what is picked, and what can be done with it."""
        layout, scene = layout_of(self), cast("Scene", context.scene)
        settings = cast("Any", of_scene(scene))
        column = layout.column()
        column.row().prop(settings, "review_level", expand=True)
        row = column.row(align=True)
        shown = mask_overlay.is_shown()
        text, icon = ("Hide Masks", "HIDE_OFF") if shown else ("Show Masks", "HIDE_ON")
        row.operator("cgc.mask_overlay", text=text, icon=cast("Any", icon), depress=shown)
        row.prop(settings, "review_opacity", text="", slider=True)
        row = layout.row()
        row.scale_y = 1.3
        row.operator("cgc.review_masks", icon="RESTRICT_SELECT_OFF", depress=reviewing())
        if not shown:
            return
        if mask_review.problem():
            say(layout, context, mask_review.problem(), "ERROR")
            return
        if mask_review.seen() is not None:
            _draw_photo(layout, context)


CLASSES = (CGC_PT_review_masks,)


def _draw_photo(layout: UILayout, context: Context) -> None:
    review = mask_review.seen()
    assert review is not None
    layout.label(text=f"{review.file.stem}: {len(review.masks)} masks", icon="IMAGE_DATA")
    if reviewing():
        say(layout, context, KEYS.replace("   |   ", ", ") + ".", "MOUSE_LMB")
    box = layout.box()
    say(box, context, selection_sentence())
    if mask_review.merging():
        say(box, context, "Click the mask to merge with; ESC does not merge.", "INFO")
    row = box.row(align=True)
    row.enabled = bool(mask_review.picked())
    row.operator("cgc.mark_mask_wrong", icon="X")
    row.operator("cgc.merge_masks", text="Merge", icon="AUTOMERGE_ON")
    count = len(review.corrections)
    if count:
        text = "1 correction" if count == 1 else f"{count} corrections"
        layout.label(text=f"{text} in this photo")
    row = layout.row(align=True)
    row.enabled = count > 0
    row.operator("cgc.undo_mask_correction", text="Undo", icon="LOOP_BACK")
    row.operator("cgc.restore_masks", text="Restore Masks", icon="FILE_REFRESH")
