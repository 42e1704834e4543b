# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel "Dataset": photos and cameras, what a training starts from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import bpy
import numpy as np

from ...dataset.near_origin import origin_in_words
from ..capture.camera_objects import cameras_collection
from ..capture.later_versions import later_version_sentence
from ..capture.parts import captures, objects_of_kind
from ..common.access import of_collection, of_scene
from ..common.buttons import layout_of, set_options
from ..common.context import scene_of
from ..jobs import registry as jobs
from ..training.dataset_facts import DatasetFacts, facts_of
from ..training.from_photos_plan import resumable_job
from .job_box import draw_job, draw_problem
from .layout import SidebarPanel, say
from .steps import Step, capture_at, normal

if TYPE_CHECKING:
    from bpy.types import Collection, Context, Scene, UILayout

CHOOSE = (
    "Choose the folder of a capture: photos in images/, COLMAP's cameras in sparse/, or a "
    "transforms.json. Or begin with photos, or a video:"
)
MOST_NAMED = 5
OPERATORS = ("CGC_OT_undistort_photos", "CGC_OT_from_photos", "CGC_OT_resume_from_photos")


class CGC_PT_dataset(SidebarPanel, bpy.types.Panel):  # noqa: N801 - Blender's convention
    """Photos and cameras: chosen, found, imported."""

    bl_label = "Dataset"
    step = Step.DATASET
    verbs = ("from-photos", "undistort")
    operators = OPERATORS

    def draw(self, context: Context) -> None:
        """Draw the folder, what is in it, and what of it is in the scene."""
        layout, scene = layout_of(self), scene_of(context)
        settings = of_scene(scene)
        if sentence := later_version_sentence(captures(scene), [scene]):
            say(layout, context, sentence, "ERROR")
        draw_problem(layout, context, *OPERATORS)
        if draw_job(layout, context, "from-photos"):
            return
        facts = facts_of(scene)
        _draw_unfinished(layout, context, scene, facts)
        layout.prop(settings, "dataset", text="")
        if not settings.dataset:
            say(layout, context, CHOOSE, "INFO")
            layout.operator("cgc.from_photos", text="From Photos…", icon="FILE_IMAGE")
            layout.operator("cgc.open_sample", icon="PACKAGE")
            return
        if facts is None:
            layout.label(text="Looking …", icon="SORTTIME")
            return
        if facts.problem:
            say(layout, context, facts.problem, "ERROR")
            return
        capture = capture_at(scene, settings.dataset)
        cameras = objects_of_kind(capture, "CAMERA") if capture is not None else []
        if capture is None or not cameras:
            layout.label(text=f"{facts.photos} photos", icon="CHECKMARK")
            row = layout.row()
            row.operator_context = "EXEC_DEFAULT"
            button = row.operator("cgc.import_colmap", text="Import Cameras", icon="IMPORT")
            set_options(button, filepath=settings.dataset)
        else:
            text = f"{facts.photos} photos, {len(cameras)} cameras in the scene"
            layout.label(text=text, icon="CHECKMARK")
            _draw_cameras(layout, capture)
            origin = np.array(of_collection(capture).map_origin, np.float64)
            if origin.any():
                text = f"Map coordinates, relative to {origin_in_words(origin)}."
                say(layout, context, text, "INFO")
        if facts.unplaced:
            say(layout, context, unplaced_sentence(facts), "ERROR")
        _draw_distortion(layout, context, facts)


def unplaced_sentence(facts: DatasetFacts) -> str:
    """Say which photos have no camera."""
    count, named = len(facts.unplaced), ", ".join(facts.unplaced[:MOST_NAMED])
    more = f" and {count - MOST_NAMED} more" if count > MOST_NAMED else ""
    total = facts.photos + count
    return f"{count} of {total} photos could not be placed and are left out: {named}{more}."


CLASSES = (CGC_PT_dataset,)


def _draw_cameras(layout: UILayout, capture: Collection) -> None:
    row = layout.row(align=True)
    row.operator("cgc.previous_camera", text="", icon="TRIA_LEFT")
    row.operator("cgc.camera_view", icon="VIEW_CAMERA")
    row.operator("cgc.next_camera", text="", icon="TRIA_RIGHT")
    cameras = cameras_collection(capture)
    if cameras is not None:
        layout.prop(cameras, "hide_select", text="Cameras Selectable", invert_checkbox=True)
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
    if jobs.running() or job is None or (chosen and normal(chosen) != normal(str(job.dataset))):
        return
    say(layout, context, f"{job.dataset.name} was begun from photos and is not finished.", "INFO")
    layout.operator("cgc.resume_from_photos", icon="PLAY")
