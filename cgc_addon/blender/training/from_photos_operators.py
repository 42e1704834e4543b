# SPDX-License-Identifier: GPL-3.0-or-later
"""From photos, or a video, to objects in the scene: one job, one progress bar."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import bpy
from bpy.props import BoolProperty, EnumProperty, IntProperty, StringProperty

from ...dataset.colmap.places import find_model
from ...errors import CgcError
from ...training.photo_job import PhotoJob
from ...training.run_folder import RunFolder
from ..capture.first_look import first_look
from ..capture.import_colmap import import_colmap
from ..common.access import of_scene
from ..common.buttons import layout_of
from ..common.choices import MATCHINGS, NO_MASKS, PHOTO_MASK_LEVELS, PHOTO_MASK_MODELS
from ..common.context import scene_of, window_manager_of
from ..common.mask_models import model_argument
from ..common.spoken import spoken
from ..jobs.job import JobState, Phase
from ..jobs.modal import JobOperator, JobRequest, no_job_runs
from ..segments.import_run import import_run, show_colors
from . import dataset_facts, preview
from .from_photos_plan import plan_from_photos, resumable_job, unfinished_job
from .plan import PREVIEW_SECONDS, absolute, check_free

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems
    from bpy.types import Context, Event, Menu, Scene


class PhotosOperator(JobOperator):
    """What starting and going on share: the live preview, and the import at the end."""

    _scene = 0
    """Number of the scene for this session: a pointer would not survive an undo."""
    _job: PhotoJob

    def request(self, scene: Scene, job: PhotoJob) -> JobRequest:
        """Return the call for the worker."""
        self._scene, self._job = scene.session_uid, job
        arguments = job.arguments
        if self._modal and of_scene(scene).live_preview:
            arguments = (*arguments, "--preview", str(PREVIEW_SECONDS))
        return JobRequest(arguments, job.run)

    def updated(self, context: Context, state: JobState) -> None:
        if state.preview is not None:
            preview.show(state.preview, state.previews, str(self._job.dataset))

    def ended(self, context: Context) -> None:
        preview.hide()

    def cancelled(self, state: JobState) -> str:
        return "From Photos was cancelled; Resume goes on from what is saved"

    def finish(self, context: Context, state: JobState) -> set[OperatorReturnItems]:
        scene, job = self._scene_of(context), self._job
        stopped = state.phase is Phase.STOPPED
        with context.temp_override(scene=scene), first_look(bpy.context, scene):
            told = self._import(bpy.context, scene, job)
        if told is None:
            self.report({"WARNING"}, "Stopped before there was anything to import; Resume goes on")
            return {"CANCELLED"}
        settings = of_scene(scene)
        settings.dataset, settings.run = str(job.dataset), str(job.run)
        dataset_facts.look(scene)
        bpy.ops.ed.undo_push(message=self.bl_label)
        self.report({"INFO"}, f"Stopped; Resume goes on. So far {told}" if stopped else told)
        return {"FINISHED"}

    def _import(self, context: Context, scene: Scene, job: PhotoJob) -> str | None:
        """Import what there is and say what; None where there is nothing yet.

        Raises:
            CgcError: it cannot be read; nothing has changed.
        """

        def warn(sentence: str) -> None:
            self.report({"WARNING"}, spoken(sentence))

        if RunFolder(job.run).splat.is_file():
            imported = import_run(context, scene, job.run, warn=warn)
            import_colmap(context, job.dataset)  # in line with cameras that were solved anew
            if not bpy.app.background:
                show_colors(context)
            return imported.sentence()
        try:
            find_model(job.dataset)
        except CgcError:
            return None
        return f"{import_colmap(context, job.dataset, warn=warn).name}: cameras and points"

    def _scene_of(self, context: Context) -> Scene:
        """Return the scene that this was started from, else the one that is shown."""
        started = (scene for scene in bpy.data.scenes if scene.session_uid == self._scene)
        return next(started, None) or scene_of(context)


class CGC_OT_from_photos(PhotosOperator, bpy.types.Operator):  # noqa: N801 - Blender's convention
    """`cgc.from_photos`."""

    bl_idname = "cgc.from_photos"
    bl_label = "Splat from Photos"
    bl_description = (
        "Find the cameras of photos or of a video, make masks, train a splat, and import it "
        "separated into objects; the same photos again go on where an earlier call ended"
    )
    bl_options = {"REGISTER", "PRESET"}  # noqa: RUF012 - Blender's convention

    if TYPE_CHECKING:
        filepath: str
        filter_folder: bool
        filter_image: bool
        filter_movie: bool
        dataset: str
        run: str
        model: str
        levels: str
        matching: str
        frames: int
        overwrite: bool
    else:
        filepath: StringProperty(
            name="Photos",
            description="Folder of the photos, one of the photos, or a video",
            subtype="FILE_PATH",
            options={"HIDDEN", "SKIP_PRESET", "SKIP_SAVE"},
        )
        filter_folder: BoolProperty(default=True, options={"HIDDEN"})
        filter_image: BoolProperty(default=True, options={"HIDDEN"})
        filter_movie: BoolProperty(default=True, options={"HIDDEN"})
        dataset: StringProperty(
            name="Dataset Folder",
            description="Where cameras and masks are kept; empty: beside the photos, NAME_dataset",
            subtype="DIR_PATH",
            options={"SKIP_SAVE", "SKIP_PRESET"},
        )
        run: StringProperty(
            name="Run Folder",
            description="Where training keeps its files; empty: beside the dataset",
            subtype="DIR_PATH",
            options={"SKIP_SAVE", "SKIP_PRESET"},
        )
        model: EnumProperty(
            name="Mask Model",
            description="Which model finds the masks in the photos",
            items=(*PHOTO_MASK_MODELS, NO_MASKS),
            default="default",
        )
        levels: EnumProperty(
            name="Levels", description="Which masks to make of each photo", items=PHOTO_MASK_LEVELS
        )
        matching: EnumProperty(
            name="Matching", description="Which photos are compared", items=MATCHINGS
        )
        frames: IntProperty(
            name="Frames",
            description="How many pictures to take from a video; 0: as its length asks for",
            min=0,
            default=0,
        )
        overwrite: BoolProperty(
            name="Start Anew",
            description="Make cameras, masks and run anew where they exist, corrections included",
            default=False,
            options={"SKIP_SAVE", "SKIP_PRESET"},
        )

    _browsed = False
    """Whether a file browser calls `execute`."""

    @classmethod
    def poll(cls, context: Context) -> bool:
        """Ask for the worker to be free."""
        return no_job_runs(cls)

    def invoke(self, context: Context, event: Event) -> set[OperatorReturnItems]:
        """Ask for the photos, unless they are given."""
        if self.filepath:
            return super().invoke(context, event)
        settings = of_scene(scene_of(context))
        if not self.properties.is_property_set("model"):
            self.model = settings.photo_mask_model
        if not self.properties.is_property_set("levels"):
            self.levels = settings.photo_mask_levels
        self._browsed = True
        # Else the browser offers the name of the .blend, which is no photo.
        self.filepath = _start_folder(settings.dataset)
        window_manager_of(context).fileselect_add(self)
        return {"RUNNING_MODAL"}

    def draw(self, context: Context) -> None:
        """Show what can be chosen beside the photos."""
        layout = layout_of(self)
        layout.use_property_split, layout.use_property_decorate = True, False
        for names in (
            ("model", "levels"),
            ("dataset", "run", "overwrite"),
            ("matching", "frames"),
        ):
            column = layout.column()
            for name in names:
                column.prop(self, name)
            layout.separator()
        settings = of_scene(scene_of(context))
        column = layout.column(heading="Training")
        column.prop(settings, "preset")
        column.prop(settings, "minutes")
        column.prop(settings, "maximum_size")

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        """Run it: while the window goes on working, if the photos were chosen in a browser."""
        if not self._browsed:
            return super().execute(context)
        names = (
            "filepath", "dataset", "run", "model", "levels", "matching", "frames", "overwrite",
        )  # fmt: skip
        chosen = {name: getattr(self, name) for name in names}
        return bpy.ops.cgc.from_photos("INVOKE_DEFAULT", **chosen)  # pyright: ignore[reportAttributeAccessIssue]

    def begin(self, context: Context) -> JobRequest:
        """Check what can be checked before the worker does the rest."""
        scene = scene_of(context)
        settings = of_scene(scene)

        def wanted(name: str) -> str:
            """Return an option: as the caller gave it, else as the panel shows it."""
            given = self.properties.is_property_set(name)
            return getattr(self, name) if given else getattr(settings, f"photo_mask_{name}")

        job = plan_from_photos(
            scene,
            self.filepath,
            self.dataset,
            self.run,
            model=model_argument(wanted("model")),
            levels=wanted("levels"),
            matching=self.matching,
            frames=self.frames,
            overwrite=self.overwrite,
        )
        return self.request(scene, job)


class CGC_OT_resume_from_photos(PhotosOperator, bpy.types.Operator):  # noqa: N801
    """`cgc.resume_from_photos`."""

    bl_idname = "cgc.resume_from_photos"
    bl_label = "Resume"
    bl_description = "Go on making a splat from photos where it ended, as it was asked for"
    bl_options = {"REGISTER"}  # noqa: RUF012 - Blender's convention

    @classmethod
    def poll(cls, context: Context) -> bool:
        """Ask for the worker to be free, and for something unfinished."""
        if not no_job_runs(cls):
            return False
        scene = scene_of(context)
        if resumable_job(scene, None) is None and not of_scene(scene).dataset:
            cls.poll_message_set("Nothing from photos was left unfinished")
            return False
        return True

    def begin(self, context: Context) -> JobRequest:
        """Find what is to be gone on with."""
        scene = scene_of(context)
        dataset = absolute(of_scene(scene).dataset, "dataset")
        job = resumable_job(scene, unfinished_job(dataset) if dataset else None)
        if job is None:
            raise CgcError("Nothing from photos was left unfinished; choose photos to begin with.")
        if not job.photos.exists():
            raise CgcError(f"{job.photos} is gone; put the photos back, or choose them again.")
        check_free(job.run)
        return self.request(scene, job)


def _start_folder(dataset: str) -> str:
    """Return where photos are looked for first: beside the dataset, or the .blend, or at home."""
    beside = [absolute(dataset, "dataset")] if bpy.data.filepath or "//" not in dataset else []
    beside.append(Path(bpy.data.filepath) if bpy.data.filepath else None)
    folders = (place.parent for place in beside if place is not None)
    return str(next((one for one in folders if one.is_dir()), Path.home())) + os.sep


def _menu_entry(menu: Menu, _context: Context) -> None:
    layout = layout_of(menu)
    layout.operator_context = "INVOKE_DEFAULT"
    layout.operator(CGC_OT_from_photos.bl_idname, text="Splat from Photos (CGC)…")


CLASSES = (CGC_OT_from_photos, CGC_OT_resume_from_photos)


def register() -> None:
    """Add the operators, and the entry in File > Import."""
    for cls in CLASSES:
        bpy.utils.register_class(cls)
    bpy.types.TOPBAR_MT_file_import.append(_menu_entry)


def unregister() -> None:
    """Take them away again."""
    bpy.types.TOPBAR_MT_file_import.remove(_menu_entry)
    preview.hide()
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
