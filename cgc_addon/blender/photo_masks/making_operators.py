# SPDX-License-Identifier: GPL-3.0-or-later
"""Masks of the photos: made by a model in the worker, brought from elsewhere, and the model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import bpy
from bpy.props import BoolProperty, EnumProperty, StringProperty

from ...errors import CgcError
from ..common.access import of_scene
from ..common.buttons import layout_of, set_options
from ..common.choices import PHOTO_MASK_LEVELS, PHOTO_MASK_MODELS
from ..common.context import scene_of, window_manager_of
from ..common.mask_models import FALLBACK, model_argument
from ..jobs.job import JobState, Phase
from ..jobs.modal import JobOperator, JobRequest, no_job_runs
from ..training import dataset_facts
from ..training.plan import absolute, check_dataset, dataset_folder

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems
    from bpy.types import Context, Event, Menu

OFFLINE = (
    "Blender may not go online; allow it in Preferences > System > Network > Allow Online Access, "
    "or name a file that you have as Mask Model in the preferences of this extension."
)
OFFLINE_FROM_OUTSIDE = (
    "Blender was started with --offline-mode, or kept from going online by whoever set it up; "
    "start it without, or name a file that you have as Mask Model in the preferences."
)


class PhotoMaskOperator(JobOperator):
    """What making and importing masks share: a dataset, and what is said at the end."""

    @classmethod
    def poll(cls, context: Context) -> bool:
        """Ask for a dataset, and for the worker to be free."""
        if not of_scene(scene_of(context)).dataset:
            cls.poll_message_set("Choose a dataset first")
            return False
        return no_job_runs(cls)

    def dataset(self, context: Context) -> Path:
        """Return the scene's dataset after a quick look at it.

        Raises:
            CgcError: it is none.
        """
        folder = dataset_folder(scene_of(context))
        check_dataset(folder)
        return folder

    def cancelled(self, state: JobState) -> str:
        dataset_facts.forget()
        return f"{state.title} was cancelled; the masks that were finished are kept"

    def finish(self, context: Context, state: JobState) -> set[OperatorReturnItems]:
        facts = dataset_facts.look(scene_of(context))
        told = f"{facts.labelled} of {facts.photos} photos have label maps"
        if state.phase is Phase.STOPPED:
            self.report({"WARNING"}, f"Stopped; {told}. {self.bl_label} goes on")
            return {"CANCELLED"}
        self.report({"INFO"}, told)
        return {"FINISHED"}


class CGC_OT_make_masks(PhotoMaskOperator, bpy.types.Operator):  # noqa: N801 - Blender's convention
    """`cgc.make_masks`."""

    bl_idname = "cgc.make_masks"
    bl_label = "Make Masks"
    bl_description = "Let a model find the objects in each photo of the dataset that has no masks"
    bl_options = {"REGISTER"}  # noqa: RUF012 - Blender's convention

    if TYPE_CHECKING:
        model: str
        levels: str
        overwrite: bool
        ask: bool
    else:
        model: EnumProperty(name="Mask Model", items=PHOTO_MASK_MODELS, default="default")
        levels: EnumProperty(name="Levels", items=PHOTO_MASK_LEVELS, default="both")
        overwrite: BoolProperty(
            name="Overwrite",
            description="Replace the masks that are there, corrections included",
            default=False,
            options={"SKIP_SAVE"},
        )
        ask: BoolProperty(
            name="Ask",
            description="Ask before masks are replaced",
            default=False,
            options={"SKIP_SAVE", "HIDDEN"},
        )

    def invoke(self, context: Context, event: Event) -> set[OperatorReturnItems]:
        if self.ask and not bpy.app.background:
            window_manager_of(context).popup_menu(
                _question, title="Make all masks anew?", icon="QUESTION"
            )
            return {"CANCELLED"}
        return super().invoke(context, event)

    def begin(self, context: Context) -> JobRequest:
        """Say which model is to look at which dataset."""
        settings = of_scene(scene_of(context))

        def wanted(name: str) -> str:
            """Return an option: as the caller gave it, else as the panel shows it."""
            given = self.properties.is_property_set(name)
            return getattr(self, name) if given else getattr(settings, f"photo_mask_{name}")

        dataset, model = self.dataset(context), model_argument(wanted("model"))
        options = ["--model", model, "--levels", wanted("levels")]
        if self.overwrite:
            options.append("--overwrite")
        return JobRequest(("masks", str(dataset), *options))


class CGC_OT_import_masks(PhotoMaskOperator, bpy.types.Operator):  # noqa: N801
    """`cgc.import_masks`."""

    bl_idname = "cgc.import_masks"
    bl_label = "Import Masks"
    bl_description = "Take label maps that another program made of the photos into the dataset"
    bl_options = {"REGISTER"}  # noqa: RUF012 - Blender's convention

    if TYPE_CHECKING:
        directory: str
        filter_folder: bool
        filter_image: bool
        overwrite: bool
    else:
        directory: StringProperty(
            name="Folder", subtype="DIR_PATH", options={"HIDDEN", "SKIP_SAVE"}
        )
        filter_folder: BoolProperty(default=True, options={"HIDDEN"})
        filter_image: BoolProperty(default=True, options={"HIDDEN"})
        overwrite: BoolProperty(
            name="Overwrite",
            description="Replace masks of the same photos that are in the dataset already",
            default=False,
        )

    _browsed = False
    """Whether a file browser calls `execute`."""

    def invoke(self, context: Context, event: Event) -> set[OperatorReturnItems]:
        """Ask for the folder, unless it is given."""
        if self.directory:
            return super().invoke(context, event)
        self._browsed = True
        window_manager_of(context).fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        """Import: while the window goes on working, if the folder was chosen in a browser."""
        if not self._browsed:
            return super().execute(context)
        return bpy.ops.cgc.import_masks(  # pyright: ignore[reportAttributeAccessIssue]
            "INVOKE_DEFAULT", directory=self.directory, overwrite=self.overwrite
        )

    def begin(self, context: Context) -> JobRequest:
        """Say which folder goes into which dataset."""
        dataset, folder = self.dataset(context), absolute(self.directory, "folder of masks")
        if folder is None or not folder.is_dir():
            raise CgcError(
                f"{folder or 'Nothing'} is not a folder; choose the one that holds the label maps."
            )
        overwrite = ("--overwrite",) if self.overwrite else ()
        return JobRequest(("masks", str(dataset), "--import", str(folder), *overwrite))


class CGC_OT_download_mask_model(JobOperator, bpy.types.Operator):  # noqa: N801
    """`cgc.download_mask_model`."""

    bl_idname = "cgc.download_mask_model"
    bl_label = "Download Mask Model"
    bl_description = (
        "Fetch the weights of a mask model from the network, once, into Blender's user folder; "
        "the photos stay on this machine"
    )
    bl_options = {"REGISTER"}  # noqa: RUF012 - Blender's convention

    if TYPE_CHECKING:
        model: str
    else:
        model: StringProperty(name="Model", default=FALLBACK, options={"SKIP_SAVE"})

    @classmethod
    def poll(cls, context: Context) -> bool:
        """Ask for leave to go online, and for the worker to be free."""
        if not bpy.app.online_access:
            cls.poll_message_set(offline_sentence())
            return False
        return no_job_runs(cls)

    def begin(self, context: Context) -> JobRequest:
        """Ask for leave once more: it may have been taken since the button was drawn."""
        if not bpy.app.online_access:
            raise CgcError(offline_sentence())
        return JobRequest(("models", "--download", self.model))

    def cancelled(self, state: JobState) -> str:
        return "The download was cancelled; another one goes on from there"

    def finish(self, context: Context, state: JobState) -> set[OperatorReturnItems]:
        dataset_facts.forget()
        if state.phase is not Phase.DONE:
            self.report({"WARNING"}, self.cancelled(state))
            return {"CANCELLED"}
        self.report({"INFO"}, f"The mask model {self.model} is ready")
        return {"FINISHED"}


def offline_sentence() -> str:
    """Say why Blender may not go online, and who can change that."""
    return OFFLINE_FROM_OUTSIDE if bpy.app.online_access_override else OFFLINE


def _question(menu: Menu, _context: Context) -> None:
    layout = layout_of(menu)
    layout.operator_context = "INVOKE_DEFAULT"
    button = layout.operator(
        CGC_OT_make_masks.bl_idname, text="Replace all masks, corrections too", icon="FILE_REFRESH"
    )
    set_options(button, overwrite=True)


CLASSES = (CGC_OT_make_masks, CGC_OT_import_masks, CGC_OT_download_mask_model)


def register() -> None:
    """Register the operators."""
    for cls in CLASSES:
        bpy.utils.register_class(cls)


def unregister() -> None:
    """Take them away again."""
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
