# SPDX-License-Identifier: GPL-3.0-or-later
"""Train and resume: what the one button starts, and what comes of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import bpy
from bpy.props import EnumProperty

from ...errors import CgcError
from ...training.run_folder import RunFolder
from ..capture.first_look import first_look
from ..common.access import of_scene
from ..common.buttons import layout_of, set_options
from ..common.context import members_of, scene_of, window_manager_of
from ..common.spoken import spoken
from ..jobs.job import JobState, Phase
from ..jobs.modal import JobOperator, JobRequest, no_job_runs
from ..segments.import_run import import_run, show_colors
from ..segments.write_run import keep_for_training
from . import dataset_facts, preview
from .plan import (
    PREVIEW_SECONDS,
    RunState,
    TrainingPlan,
    check_free,
    free_folder,
    is_of,
    is_unfinished,
    new_arguments,
    plan_training,
    resumable_run,
    resume_arguments,
)

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import IconItems, OperatorReturnItems
    from bpy.types import Context, Event, Menu, Scene

EXISTING = (
    (
        "ASK",
        "Ask",
        "Go on with an unfinished run that has these settings; ask about any other. A script gets "
        "an error in place of the question",
    ),
    ("RESUME", "Resume", "Go on with the run, with the settings that it was started with"),
    ("OVERWRITE", "Start Anew", "Replace the run"),
    ("NEW", "New Folder", "Leave the run as it is, and train into a new folder beside it"),
)


class TrainingOperator(JobOperator):
    """What starting anew and resuming share: the live preview, and the import at the end."""

    _scene = 0
    """Number of the scene for this session: a pointer would not survive an undo."""
    _new_folder: tuple[str, Path] | None = None
    """A run folder that the scene does not name yet, and the scene's dataset that it is for."""

    def request(self, scene: Scene, arguments: tuple[str, ...], run: Path) -> JobRequest:
        """Return the job for a call of `train`."""
        self._scene = scene.session_uid
        if said := keep_for_training(scene, run):
            self.report({"WARNING"}, spoken(said))
        if self._modal and of_scene(scene).live_preview:
            arguments = (*arguments, "--preview", str(PREVIEW_SECONDS))
        return JobRequest(arguments, run)

    def updated(self, context: Context, state: JobState) -> None:
        if state.preview is not None:
            preview.show(state.preview, state.previews, state.arguments[1])

    def ended(self, context: Context) -> None:
        preview.hide()
        # Panels are drawn before the next look, and would show the run as it was.
        dataset_facts.look(self._scene_of(context))

    def cancelled(self, state: JobState) -> str:
        if state.run is not None and is_unfinished(state.run):
            return f"Training was cancelled; Resume goes on from what is saved in {state.run}"
        return "Training was cancelled before anything was saved"

    def finish(self, context: Context, state: JobState) -> set[OperatorReturnItems]:
        run, scene = state.run, self._scene_of(context)
        assert run is not None
        stopped = state.phase is Phase.STOPPED
        if stopped and not RunFolder(run).splat.is_file():
            self.report({"WARNING"}, "Training was stopped before there was anything to keep")
            return {"CANCELLED"}
        with first_look(context, scene):
            imported = import_run(
                context,
                scene,
                run,
                warn=lambda said: self.report({"WARNING"}, spoken(said)),
            )
        settings = of_scene(scene)
        if self._new_folder == (settings.dataset, run):
            settings.run = str(run)
            dataset_facts.look(scene)
        if not bpy.app.background:
            show_colors(context)
        bpy.ops.ed.undo_push(message=self.bl_label)
        done = "Stopped; Resume goes on. Kept so far" if stopped else "Trained"
        self.report({"INFO"}, f"{done}: {imported.sentence()}")
        return {"FINISHED"}

    def _scene_of(self, context: Context) -> Scene:
        """Return the scene that training was started from, else the one that is shown."""
        started = (scene for scene in bpy.data.scenes if scene.session_uid == self._scene)
        return next(started, None) or scene_of(context)


class CGC_OT_train(TrainingOperator, bpy.types.Operator):  # noqa: N801 - Blender's convention
    """`cgc.train`."""

    bl_idname = "cgc.train"
    bl_label = "Train Segmented Splat"
    bl_description = "Train a Gaussian splat of the dataset and separate it into objects"
    bl_options = {"REGISTER"}  # noqa: RUF012 - Blender's convention

    if TYPE_CHECKING:
        existing: str
    else:
        existing: EnumProperty(
            name="Existing Run",
            description="What to do when the run folder already holds a run",
            items=EXISTING,
            default="ASK",
            options={"SKIP_SAVE"},
        )

    @classmethod
    def poll(cls, context: Context) -> bool:
        scene = members_of(context).scene
        if scene is None or not of_scene(scene).dataset:
            cls.poll_message_set("Choose a dataset first")
            return False
        return no_job_runs(cls)

    def invoke(self, context: Context, event: Event) -> set[OperatorReturnItems]:
        if self.existing == "ASK" and not bpy.app.background:
            try:
                plan = plan_training(scene_of(context))
                check_free(plan.run)
            except CgcError as error:
                return self._failed(context, str(error))
            if plan.found in {RunState.FINISHED, RunState.OTHER}:
                _ask(context, plan)
                return {"CANCELLED"}
        return super().invoke(context, event)

    def begin(self, context: Context) -> JobRequest:
        scene = scene_of(context)
        plan = plan_training(scene)
        existing, run = self.existing, plan.run
        if existing == "ASK":
            existing = _without_asking(plan)
        if existing == "NEW" and plan.found is not RunState.EMPTY:
            run = free_folder(run)
            self._new_folder = (of_scene(scene).dataset, run)
        check_free(run)
        if existing == "RESUME" and plan.found is not RunState.EMPTY:
            return self.request(scene, resume_arguments(run), run)
        return self.request(scene, new_arguments(plan, of_scene(scene), run), run)


class CGC_OT_resume_training(TrainingOperator, bpy.types.Operator):  # noqa: N801 - Blender's convention
    """`cgc.resume_training`."""

    bl_idname = "cgc.resume_training"
    bl_label = "Resume Training"
    bl_description = "Go on with the unfinished run, with the settings that it was started with"
    bl_options = {"REGISTER"}  # noqa: RUF012 - Blender's convention

    @classmethod
    def poll(cls, context: Context) -> bool:
        if not no_job_runs(cls):
            return False
        scene = members_of(context).scene
        if scene is None or resumable_run(scene) is None:
            cls.poll_message_set("There is no unfinished run of this dataset")
            return False
        return True

    def begin(self, context: Context) -> JobRequest:
        scene = scene_of(context)
        if (run := resumable_run(scene)) is None:
            raise CgcError("There is no unfinished run of this dataset; train it anew.")
        check_free(run)
        return self.request(scene, resume_arguments(run), run)


def _without_asking(plan: TrainingPlan) -> str:
    """Return what to do with the run folder where nobody can be asked.

    Raises:
        CgcError: it holds a run that may be wanted.
    """
    if plan.found is RunState.EMPTY:
        return "OVERWRITE"
    if plan.found is RunState.UNFINISHED:
        return "RESUME"
    raise CgcError(
        f"{plan.run} holds {plan.found.value}; choose Resume, Start Anew or New Folder (`existing` "
        "is RESUME, OVERWRITE or NEW in scripts)."
    )


def _ask(context: Context, plan: TrainingPlan) -> None:
    """Ask what to do with a run that may be wanted; the answers are buttons."""
    folder = RunFolder(plan.run)

    def draw(menu: Menu, _context: Context) -> None:
        def answer(existing: str, text: str, icon: IconItems) -> None:
            button = layout.operator(CGC_OT_train.bl_idname, text=text, icon=icon)
            set_options(button, existing=existing)

        layout = layout_of(menu)
        layout.label(text=str(plan.run))
        layout.separator()
        layout.operator_context = "EXEC_DEFAULT"
        if folder.splat.is_file():
            button = layout.operator("cgc.import_run", text="Import it as it is", icon="IMPORT")
            set_options(button, directory=str(plan.run))
        layout.operator_context = "INVOKE_DEFAULT"
        if is_unfinished(plan.run) and is_of(plan.run, plan.dataset):
            answer("RESUME", "Resume it with its own settings", "PLAY")
        answer("OVERWRITE", "Start anew and replace it", "FILE_REFRESH")
        answer("NEW", "Train into a new folder beside it", "NEWFOLDER")

    title = f"The run folder holds {plan.found.value}"
    window_manager_of(context).popup_menu(draw, title=title, icon="QUESTION")


CLASSES = (CGC_OT_train, CGC_OT_resume_training)


def register() -> None:
    """Register the operators."""
    for cls in CLASSES:
        bpy.utils.register_class(cls)


def unregister() -> None:
    """Take them away again, and the preview with them."""
    preview.hide()
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
