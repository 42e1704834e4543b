# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel "Training": one button, what it does while it runs, and what can be set."""

from __future__ import annotations

from typing import TYPE_CHECKING

import bpy

from ..capture.parts import active_capture
from ..common.access import of_collection, of_scene
from ..common.buttons import layout_of, set_options
from ..common.choices import PRESETS
from ..common.context import scene_of
from ..jobs import registry as jobs
from ..training.dataset_facts import DatasetFacts, facts_of
from .job_box import draw_job, draw_problem, draw_worker, training_runs
from .layout import SidebarPanel, say
from .steps import Step

if TYPE_CHECKING:
    from bpy.types import Context, UILayout

    from ..common.access import SceneSettings

DEFAULTS = "0: what suits preset, photos and machine. No run folder: one beside the dataset."
OPERATORS = ("CGC_OT_train", "CGC_OT_resume_training")


class CGC_PT_training(SidebarPanel, bpy.types.Panel):  # noqa: N801 - Blender's convention
    """Train a segmented splat, and watch it."""

    bl_label = "Training"
    step = Step.TRAINING
    verbs = ("train",)
    operators = OPERATORS

    def draw(self, context: Context) -> None:
        """Draw the button, or how far training is."""
        layout, scene = layout_of(self), scene_of(context)
        settings = of_scene(scene)
        if draw_job(layout, context, "train"):
            return
        draw_problem(layout, context, *OPERATORS)
        draw_worker(layout, context)
        layout.row().prop(settings, "preset", expand=True)
        _draw_preset(layout, context, settings)
        facts = facts_of(scene) if settings.dataset else None
        column = layout.column(align=True)
        column.scale_y = 1.6
        column.enabled = facts is not None and not facts.problem
        column.operator("cgc.train", icon="OUTLINER_OB_POINTCLOUD")
        state = jobs.current()
        if jobs.running() and state is not None:
            say(layout, context, f"{state.title} is running in the worker.", "INFO")
        elif facts is not None:
            _draw_run(layout, context, facts)
        elif settings.dataset:
            layout.label(text="Looking …", icon="SORTTIME")
        else:
            layout.label(text="Needs a dataset", icon="INFO")


class CGC_PT_training_advanced(SidebarPanel, bpy.types.Panel):  # noqa: N801
    """What a preset leaves open, and the method."""

    bl_label = "Advanced"
    bl_parent_id = "CGC_PT_training"
    bl_options = {"DEFAULT_CLOSED"}  # noqa: RUF012 - Blender's convention

    @classmethod
    def poll(cls, context: Context) -> bool:
        """Need no running training, which has its settings already."""
        return not training_runs()

    def draw(self, context: Context) -> None:
        """Draw all that can be set."""
        layout, settings = layout_of(self), of_scene(scene_of(context))
        layout.use_property_split, layout.use_property_decorate = True, False
        for names in (
            ("run", "live_preview"),
            ("minutes", "steps", "maximum_gaussians", "maximum_size"),
            ("test_every", "seed", "backend"),
            ("features", "reduction", "spatial"),
        ):
            column = layout.column()
            for name in names:
                column.prop(settings, name)
            layout.separator()
        say(layout, context, DEFAULTS)
        layout.operator("cgc.check_worker", icon="CONSOLE")


CLASSES = (CGC_PT_training, CGC_PT_training_advanced)


def _draw_preset(layout: UILayout, context: Context, settings: SceneSettings) -> None:
    """Say what the preset chosen is for."""
    description = next(preset[2] for preset in PRESETS if preset[0] == settings.preset)
    say(layout, context, description + ".")


def _draw_run(layout: UILayout, context: Context, facts: DatasetFacts) -> None:
    """Say what an earlier training left behind, and what can be done with it."""
    if facts.problem or facts.run is None:
        return
    capture = active_capture(context)
    if facts.run_unfinished:
        say(layout, context, f"{facts.run.name} holds a run that is not finished.", "INFO")
        layout.operator("cgc.resume_training", icon="PLAY")
    elif facts.run_exists and (capture is None or not of_collection(capture).run):
        say(layout, context, f"{facts.run.name} holds a trained run.", "INFO")
        row = layout.row()
        row.operator_context = "EXEC_DEFAULT"
        button = row.operator("cgc.import_run", text="Import It", icon="IMPORT")
        set_options(button, directory=str(facts.run))
    elif not facts.labelled:
        say(layout, context, "Without masks, one splat is trained that is not separated.", "INFO")
