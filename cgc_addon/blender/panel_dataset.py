# SPDX-License-Identifier: GPL-3.0-or-later
"""The panels "Dataset" and "Masks": what a training starts from."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, cast

import bpy

from .capture import captures, objects_of_kind
from .dataset_facts import DatasetFacts, facts_of
from .panel_layout import SidebarPanel, draw_job, draw_problem, layout_of, say
from .properties import of_collection, of_scene

if TYPE_CHECKING:
    from bpy.types import Collection, Context, Scene, UILayout

CHOOSE = (
    "Choose the folder of a capture: photos in images/, COLMAP's cameras in sparse/, or a "
    "transforms.json."
)
UNSEPARATED = "No masks: the splat will not be separated into objects."
LABEL_MAPS = (
    "Put a grey PNG for each photo into the folder masks, masks/0001.png for images/0001.jpg. Each "
    "pixel is the number of an object, 0 for none; numbers need not agree between photos."
)


class CGC_PT_dataset(SidebarPanel, bpy.types.Panel):  # noqa: N801 - Blender's convention
    """Photos and cameras: chosen, found, imported."""

    bl_label = "Dataset"

    def draw(self, context: Context) -> None:
        """Draw the folder, what is in it, and what of it is in the scene."""
        layout, scene = layout_of(self), cast("Scene", context.scene)
        settings = of_scene(scene)
        draw_problem(layout, context, "CGC_OT_undistort_photos")
        layout.prop(cast("Any", settings), "dataset", text="")
        if not settings.dataset:
            say(layout, context, CHOOSE, "INFO")
            return
        facts = facts_of(scene)
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


def _capture_of(scene: Scene, dataset: str) -> Collection | None:
    """Return the capture that was imported from a dataset, told by paths alone."""
    wanted = _normal(dataset)
    return next((c for c in captures(scene) if _normal(of_collection(c).dataset) == wanted), None)


def _normal(path: str) -> str:
    return os.path.normpath(bpy.path.abspath(path)) if path else ""
