# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel "Masks": those of the photos, made and imported; below it "Review", one photo's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import bpy

from ...masks.models.known import KNOWN
from ..common.access import of_scene
from ..common.buttons import layout_of, set_options
from ..common.context import scene_of
from ..common.mask_models import chosen_model
from ..photo_masks import overlay, review
from ..photo_masks.making_operators import offline_sentence
from ..photo_masks.review_operators import KEYS, reviewing, selection_sentence
from ..training.dataset_facts import DatasetFacts, facts_of
from .job_box import draw_download, draw_job, draw_problem
from .layout import SidebarPanel, say
from .steps import Step

if TYPE_CHECKING:
    from bpy.types import Context, Scene, UILayout

OPERATORS = ("CGC_OT_make_masks", "CGC_OT_import_masks", "CGC_OT_download_mask_model")
UNSEPARATED = "No masks: the splat will not be separated into objects."
LABEL_MAPS = (
    "Make them here, or bring a grey PNG for each photo, masks/0001.png for images/0001.jpg: each "
    "pixel is the number of an object, 0 for none; numbers need not agree between photos."
)


class CGC_PT_photo_masks(SidebarPanel, bpy.types.Panel):  # noqa: N801 - Blender's convention
    """Label maps of the photos: without them nothing is separated."""

    bl_label = "Masks"
    step = Step.MASKS
    verbs = ("masks", "models")
    operators = OPERATORS

    def draw(self, context: Context) -> None:
        """Draw how many photos have label maps."""
        layout, scene = layout_of(self), scene_of(context)
        if draw_job(layout, context, "masks", "models"):
            return
        draw_problem(layout, context, *OPERATORS)
        facts = facts_of(scene) if of_scene(scene).dataset else None
        if facts is None and of_scene(scene).dataset:
            layout.label(text="Looking …", icon="SORTTIME")
            return
        if facts is None or facts.problem:
            layout.label(text="Needs a dataset", icon="INFO")
            return
        if facts.labelled:
            text = f"{facts.labelled} of {facts.photos} photos have label maps"
            full = facts.labelled == facts.photos
            layout.label(text=text, icon="CHECKMARK" if full else "INFO")
        else:
            say(layout, context, UNSEPARATED, "ERROR")
            say(layout.box(), context, LABEL_MAPS)
        if facts.strangers:
            text = f"In {facts.label_folder}/, belonging to no photo: {facts.strangers}."
            say(layout, context, text, "ERROR")
        _draw_making(layout, context, scene, facts)


class CGC_PT_photo_mask_review(SidebarPanel, bpy.types.Panel):  # noqa: N801 - Blender's convention
    """Show masks over the photo, and correct what is wrong."""

    bl_label = "Review"
    bl_parent_id = "CGC_PT_photo_masks"
    bl_options = {"DEFAULT_CLOSED"}  # noqa: RUF012 - Blender's convention

    def draw(self, context: Context) -> None:
        """Draw what is shown, what is picked, and what can be done with it."""
        layout, scene = layout_of(self), scene_of(context)
        settings = of_scene(scene)
        column = layout.column()
        column.row().prop(settings, "review_level", expand=True)
        row = column.row(align=True)
        shown = overlay.is_shown()
        if shown:
            row.operator("cgc.mask_overlay", text="Hide Masks", icon="HIDE_OFF", depress=True)
        else:
            row.operator("cgc.mask_overlay", text="Show Masks", icon="HIDE_ON")
        row.prop(settings, "review_opacity", text="", slider=True)
        row = layout.row()
        row.scale_y = 1.3
        row.operator("cgc.review_masks", icon="RESTRICT_SELECT_OFF", depress=reviewing())
        if not shown:
            return
        if review.problem():
            say(layout, context, review.problem(), "ERROR")
            return
        if review.seen() is not None:
            _draw_photo(layout, context)


CLASSES = (CGC_PT_photo_masks, CGC_PT_photo_mask_review)


def _draw_making(layout: UILayout, context: Context, scene: Scene, facts: DatasetFacts) -> None:
    """Draw what makes masks, or why that cannot be done yet."""
    settings = of_scene(scene)
    column = layout.column()
    column.use_property_split, column.use_property_decorate = True, False
    column.prop(settings, "photo_mask_model")
    column.prop(settings, "photo_mask_levels")
    model, done = chosen_model(settings.photo_mask_model), facts.labelled >= facts.photos
    if model in KNOWN and model not in facts.models and not done:
        say(layout, context, f"{KNOWN[model].label} is not on this machine yet.", "INFO")
        draw_download(layout, model)
        if not bpy.app.online_access:
            say(layout, context, offline_sentence(), "INFO")
    row = layout.row(align=True)
    if done:
        button = row.operator("cgc.make_masks", text="Make Masks Anew…", icon="FILE_REFRESH")
        set_options(button, ask=True)
    else:
        row.operator("cgc.make_masks", icon="MOD_MASK")
    layout.operator("cgc.import_masks", text="Import Masks…", icon="IMPORT")


def _draw_photo(layout: UILayout, context: Context) -> None:
    seen = review.seen()
    assert seen is not None
    layout.label(text=f"{seen.file.stem}: {len(seen.masks)} masks", icon="IMAGE_DATA")
    if reviewing():
        say(layout, context, KEYS.replace("   |   ", ", ") + ".", "MOUSE_LMB")
    box = layout.box()
    say(box, context, selection_sentence())
    if review.merging():
        say(box, context, "Click the mask to merge with; ESC does not merge.", "INFO")
    row = box.row(align=True)
    row.enabled = bool(review.picked())
    row.operator("cgc.mark_mask_wrong", icon="X")
    row.operator("cgc.merge_masks", text="Merge", icon="AUTOMERGE_ON")
    count = len(seen.corrections)
    if count:
        text = "1 correction" if count == 1 else f"{count} corrections"
        layout.label(text=f"{text} in this photo")
    row = layout.row(align=True)
    row.enabled = count > 0
    row.operator("cgc.undo_mask_correction", text="Undo", icon="LOOP_BACK")
    row.operator("cgc.restore_masks", text="Restore Masks", icon="FILE_REFRESH")
