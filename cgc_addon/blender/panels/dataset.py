# SPDX-License-Identifier: GPL-3.0-or-later
"""The panels "Dataset" and "Masks": what a training starts from."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, cast

import bpy

from ...masks.models.weights import KNOWN
from ..capture.parts import captures, objects_of_kind
from ..common.access import of_collection, of_scene
from ..common.mask_models import chosen_model
from ..jobs import registry as jobs
from ..photo_masks.making_operators import offline_sentence
from ..training.dataset_facts import DatasetFacts, facts_of
from ..training.from_photos_plan import resumable_job
from .layout import SidebarPanel, draw_download, draw_job, draw_problem, layout_of, say

if TYPE_CHECKING:
    from bpy.types import Collection, Context, Scene, UILayout

CHOOSE = (
    "Choose the folder of a capture: photos in images/, COLMAP's cameras in sparse/, or a "
    "transforms.json. Or begin with photos, or a video:"
)
OPERATORS = ("CGC_OT_undistort_photos", "CGC_OT_from_photos", "CGC_OT_resume_from_photos")
MASK_OPERATORS = ("CGC_OT_make_masks", "CGC_OT_import_masks", "CGC_OT_download_mask_model")
UNSEPARATED = "No masks: the splat will not be separated into objects."
LABEL_MAPS = (
    "Make them here, or bring a grey PNG for each photo, masks/0001.png for images/0001.jpg: each "
    "pixel is the number of an object, 0 for none; numbers need not agree between photos."
)


class CGC_PT_dataset(SidebarPanel, bpy.types.Panel):  # noqa: N801 - Blender's convention
    """Photos and cameras: chosen, found, imported."""

    bl_label = "Dataset"

    def draw(self, context: Context) -> None:
        """Draw the folder, what is in it, and what of it is in the scene."""
        layout, scene = layout_of(self), cast("Scene", context.scene)
        settings = of_scene(scene)
        draw_problem(layout, context, *OPERATORS)
        if draw_job(layout, context, "from-photos"):
            return
        facts = facts_of(scene)
        _draw_unfinished(layout, context, scene, facts)
        layout.prop(cast("Any", settings), "dataset", text="")
        if not settings.dataset:
            say(layout, context, CHOOSE, "INFO")
            layout.operator("cgc.from_photos", text="From Photos…", icon="FILE_IMAGE")
            return
        if facts is None:
            layout.label(text="Looking …", icon="SORTTIME")
            return
        if facts.problem:
            say(layout, context, facts.problem, "ERROR")
            return
        capture = _capture_of(scene, settings.dataset)
        cameras = objects_of_kind(capture, "CAMERA") if capture is not None else []
        if capture is None or not cameras:
            layout.label(text=f"{facts.photos} photos", icon="CHECKMARK")
            row = layout.row()
            row.operator_context = "EXEC_DEFAULT"
            button = row.operator("cgc.import_colmap", text="Import Cameras", icon="IMPORT")
            cast("Any", button).filepath = settings.dataset
        else:
            text = f"{facts.photos} photos, {len(cameras)} cameras in the scene"
            layout.label(text=text, icon="CHECKMARK")
            _draw_cameras(layout)
        _draw_distortion(layout, context, facts)


class CGC_PT_masks(SidebarPanel, bpy.types.Panel):  # noqa: N801 - Blender's convention
    """Label maps of the photos: without them nothing is separated."""

    bl_label = "Masks"

    def draw(self, context: Context) -> None:
        """Draw how many photos have label maps."""
        layout, scene = layout_of(self), cast("Scene", context.scene)
        if draw_job(layout, context, "masks", "models"):
            return
        draw_problem(layout, context, *MASK_OPERATORS)
        facts = facts_of(scene) if of_scene(scene).dataset else None
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


CLASSES = (CGC_PT_dataset, CGC_PT_masks)


def _draw_cameras(layout: UILayout) -> None:
    row = layout.row(align=True)
    row.operator("cgc.previous_camera", text="", icon="TRIA_LEFT")
    row.operator("cgc.camera_view", icon="VIEW_CAMERA")
    row.operator("cgc.next_camera", text="", icon="TRIA_RIGHT")
    row = layout.row(align=True)
    row.operator("cgc.align_to_floor", icon="GRID")
    row.operator("cgc.set_scale", icon="DRIVER_DISTANCE")


def _draw_distortion(layout: UILayout, context: Context, facts: DatasetFacts) -> None:
    if draw_job(layout, context, "undistort") or not facts.distorted:
        return
    text = "The photos have lens distortion, which Blender's cameras lack."
    say(layout, context, text, "INFO")
    layout.operator("cgc.undistort_photos", icon="CAMERA_DATA")


def _draw_unfinished(
    layout: UILayout, context: Context, scene: Scene, facts: DatasetFacts | None
) -> None:
    """Offer to go on with what was begun from photos."""
    job = resumable_job(scene, facts.photo_job if facts else None)
    chosen = of_scene(scene).dataset
    if jobs.running() or job is None or (chosen and _normal(chosen) != _normal(str(job.dataset))):
        return
    say(layout, context, f"{job.dataset.name} was begun from photos and is not finished.", "INFO")
    layout.operator("cgc.resume_from_photos", icon="PLAY")


def _draw_making(layout: UILayout, context: Context, scene: Scene, facts: DatasetFacts) -> None:
    """Draw what makes masks, or why that cannot be done yet."""
    settings = of_scene(scene)
    column = layout.column()
    column.use_property_split, column.use_property_decorate = True, False
    column.prop(cast("Any", settings), "photo_mask_model")
    column.prop(cast("Any", settings), "photo_mask_levels")
    model, done = chosen_model(settings.photo_mask_model), facts.labelled >= facts.photos
    if model in KNOWN and model not in facts.models and not done:
        say(layout, context, f"{KNOWN[model].title} is not on this machine yet.", "INFO")
        draw_download(layout, model)
        if not bpy.app.online_access:
            say(layout, context, offline_sentence(), "INFO")
    row = layout.row(align=True)
    if done:
        button = row.operator("cgc.make_masks", text="Make Masks Anew…", icon="FILE_REFRESH")
        cast("Any", button).ask = True
    else:
        row.operator("cgc.make_masks", icon="MOD_MASK")
    layout.operator("cgc.import_masks", text="Import Masks…", icon="IMPORT")


def _capture_of(scene: Scene, dataset: str) -> Collection | None:
    """Return the capture that was imported from a dataset, told by paths alone."""
    wanted = _normal(dataset)
    return next((c for c in captures(scene) if _normal(of_collection(c).dataset) == wanted), None)


def _normal(path: str) -> str:
    return os.path.normpath(bpy.path.abspath(path)) if path else ""
