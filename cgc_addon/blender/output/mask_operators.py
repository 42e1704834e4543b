# SPDX-License-Identifier: GPL-3.0-or-later
"""Operators that render segment masks: into files, or to have a look."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bpy
from bpy.props import BoolProperty, EnumProperty, StringProperty

from ...errors import CgcError, Interrupted
from ..common.access import of_scene
from ..common.choices import MASK_CAMERAS
from ..common.context import members_of, scene_of, window_manager_of
from ..jobs import registry as jobs
from ..jobs.job import JobState, Phase
from ..jobs.modal import JobOperator, JobRequest, no_job_runs
from ..splats.objects import is_splat
from . import mask_files, mask_rendering
from .mask_files import RenderedMaskSettings
from .mask_picture import show_picture

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems
    from bpy.types import Context


class MaskOperator(JobOperator):
    """Draws one batch of views after the other in the worker; each is a job of its own."""

    _settings: RenderedMaskSettings
    _waiting: list[mask_rendering.Batch]
    _drawings: list[mask_rendering.Drawing]
    _files: tempfile.TemporaryDirectory[str] | None = None

    def settings(self, context: Context) -> RenderedMaskSettings:
        """Return what is wanted.

        Raises:
            CgcError: it makes no sense.
        """
        raise NotImplementedError

    def completed(self, context: Context) -> None:
        """Do what follows once all is drawn, and tell the user.

        Raises:
            CgcError: that failed.
        """
        raise NotImplementedError

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        try:
            return super().execute(context)
        except Interrupted:  # in a batch after the first
            self.report({"WARNING"}, f"{self.bl_label} was interrupted; finished masks are kept")
            return {"CANCELLED"}
        finally:
            self._clean()

    def start_modal(self, context: Context) -> set[OperatorReturnItems]:
        status = super().start_modal(context)
        if status != {"RUNNING_MODAL"}:
            self._clean()
        return status

    def begin(self, context: Context) -> JobRequest:
        self._settings = self.settings(context)
        self._waiting, self._drawings = list(mask_rendering.plan(context, self._settings)), []
        self._files = tempfile.TemporaryDirectory(prefix="cgc-masks-")
        return self._next(context)

    def finish(self, context: Context, state: JobState) -> set[OperatorReturnItems]:
        going_on = False
        try:
            if state.phase is not Phase.DONE:
                self.report({"WARNING"}, self.cancelled(state))
                return {"CANCELLED"}
            self._keep_drawn()
            while self._waiting:
                request = self._next(context)
                if self._modal:
                    self._watch(context, request)
                    going_on = True
                    return {"RUNNING_MODAL"}
                jobs.run_blocking(request.arguments, title=self._title())
                self._keep_drawn()
            self.completed(context)
            return {"FINISHED"}
        finally:
            if not going_on:
                self._clean()

    def cancelled(self, state: JobState) -> str:
        views = self._drawings[-1].batch.views
        finished = sum(mask_files.label_file(self._settings, view).exists() for view in views)
        if finished:
            with suppress(CgcError):  # the message matters more
                mask_rendering.list_segments(self._settings, self._drawings)
        return f"{self.bl_label} was cancelled; masks that were finished are kept"

    def ended(self, context: Context) -> None:
        state = jobs.current()
        if state is None or state.phase is not Phase.DONE:  # else `finish` follows
            self._clean()

    def _next(self, context: Context) -> JobRequest:
        assert self._files is not None
        batch = self._waiting.pop(0)
        folder = Path(self._files.name)
        self._drawings.append(mask_rendering.prepare(context, self._settings, batch, folder))
        return JobRequest(self._drawings[-1].arguments)

    def _keep_drawn(self) -> None:
        """Complete what the worker wrote; whatever ends the next batch, this one is whole."""
        mask_rendering.list_segments(self._settings, self._drawings)
        if self._settings.exr:
            for view in self._drawings[-1].batch.views:
                mask_files.write_exr_of(self._settings, view)

    def _watch(self, context: Context, request: JobRequest) -> None:
        """Start the next job from within `modal`, which has taken its timer away."""
        jobs.start(request.arguments, self._title())
        manager = window_manager_of(context)
        self._timer = manager.event_timer_add(jobs.POLL_SECONDS, window=members_of(context).window)

    def _title(self) -> str:
        begun = len(self._drawings)
        return f"{self.bl_label}, part {begun} of {begun + len(self._waiting)}"

    def _clean(self) -> None:
        if self._files is not None:
            self._files.cleanup()
            self._files = None


class CGC_OT_render_masks(MaskOperator, bpy.types.Operator):  # noqa: N801 - Blender's convention
    """`cgc.render_masks`."""

    bl_idname = "cgc.render_masks"
    bl_label = "Render Masks"
    bl_description = (
        "Draw which segment each pixel shows, with everything as it stands in the scene: "
        "16-bit label maps, segments.json and, if wanted, pictures to look at"
    )
    bl_options = {"REGISTER"}  # noqa: RUF012 - Blender's convention

    if TYPE_CHECKING:
        cameras: str
        folder: str
        palette: bool
        exr: bool
        overwrite: bool
    else:
        cameras: EnumProperty(
            name="Cameras", description="Which views to draw", items=MASK_CAMERAS, default="CAPTURE"
        )
        folder: StringProperty(
            name="Output Folder",
            description="Where masks are written",
            subtype="DIR_PATH",
            options={"PATH_SUPPORTS_BLEND_RELATIVE"},
        )
        palette: BoolProperty(
            name="Palette Pictures", description="Also write coloured pictures to look at"
        )
        exr: BoolProperty(name="OpenEXR", description="Also write ids as floating-point OpenEXR")
        overwrite: BoolProperty(
            name="Overwrite", description="Replace masks of the same names that are there already"
        )

    @classmethod
    def poll(cls, context: Context) -> bool:
        return _can_draw(cls, context)

    def settings(self, context: Context) -> RenderedMaskSettings:
        kept = of_scene(scene_of(context))

        def wanted(name: str) -> Any:
            """Return an option: as the caller gave it, else as the panel shows it."""
            given = self.properties.is_property_set(name)
            return getattr(self, name) if given else getattr(kept, f"mask_{name}")

        return RenderedMaskSettings(
            which=wanted("cameras"),
            folder=_absolute(wanted("folder")),
            palette=wanted("palette"),
            exr=wanted("exr"),
            overwrite=wanted("overwrite"),
            backend=kept.backend,
        )

    def completed(self, context: Context) -> None:
        views = sum(len(drawing.batch.views) for drawing in self._drawings)
        seen = {s.id for drawing in self._drawings for s in drawing.segments.segments}
        self.report(
            {"INFO"},
            f"{views} masks, {len(seen)} segments, are in {self._settings.folder}",
        )


class CGC_OT_look_at_masks(MaskOperator, bpy.types.Operator):  # noqa: N801 - Blender's convention
    """`cgc.look_at_masks`."""

    bl_idname = "cgc.look_at_masks"
    bl_label = "Look at Masks"
    bl_description = (
        "Draw the segments that the active camera sees as the image “CGC Masks”, "
        "shown in an Image Editor; writes no files"
    )
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012 - Blender's convention

    _folder: tempfile.TemporaryDirectory[str]

    @classmethod
    def poll(cls, context: Context) -> bool:
        return _can_draw(cls, context)

    def settings(self, context: Context) -> RenderedMaskSettings:
        self._folder = tempfile.TemporaryDirectory(prefix="cgc-look-")
        kept = of_scene(scene_of(context))
        return RenderedMaskSettings(
            "ACTIVE", Path(self._folder.name), palette=True, backend=kept.backend
        )

    def completed(self, context: Context) -> None:
        (view,) = self._drawings[0].batch.views
        image = show_picture(mask_files.palette_file(self._settings, view))
        self._folder.cleanup()
        self.report({"INFO"}, f"The image {image.name} shows the masks of {view.stem}")


CLASSES = (CGC_OT_render_masks, CGC_OT_look_at_masks)


def register() -> None:
    """Register the operators."""
    for cls in CLASSES:
        bpy.utils.register_class(cls)


def unregister() -> None:
    """Take them away again."""
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)


def _can_draw(cls: type[bpy.types.Operator], context: Context) -> bool:
    """Say whether masks can be drawn now, as far as can be told at a glance."""
    if not no_job_runs(cls):
        return False
    if not any(is_splat(item) for item in bpy.data.objects):
        cls.poll_message_set("There are no splats yet: train one, or import a run")
        return False
    return True


def _absolute(folder: str) -> Path:
    """Return a folder that the user chose.

    Raises:
        CgcError: it is relative to a .blend that was not saved yet, or empty.
    """
    if not folder.strip():
        raise CgcError("Choose a folder to write the masks into.")
    if folder.startswith("//") and not bpy.data.filepath:
        raise CgcError(
            f"The output folder {folder} is beside the .blend, which was not saved yet; "
            "save it, or choose another folder."
        )
    return Path(bpy.path.abspath(folder)).absolute()
