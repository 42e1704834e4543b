# SPDX-License-Identifier: GPL-3.0-or-later
"""Install Engine: the dialog that says what will be done, and the job that does it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import bpy
from bpy.props import EnumProperty, StringProperty

from ...errors import CgcError
from ...installation.space import in_words
from ..common.buttons import layout_of
from ..common.context import members_of, window_manager_of
from ..jobs import registry as jobs
from ..jobs.job import JobState, Phase
from ..jobs.modal import JobOperator, JobRequest, no_job_runs
from . import facts
from .base import find_base, folder_option, starts_installer
from .plan import AUTOMATIC, BUILDS, EnginePlan, offline_sentence, plan_engine

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems
    from bpy.types import Context, Event, UILayout, Window

TIDY_SECONDS = 60.0
"""How long what was begun may take to be deleted when the user cancels."""
DIALOG_WIDTH = 520


class EngineJob(JobOperator):
    """What the operators share that change the engine's files."""

    _printed = ""

    @classmethod
    def poll(cls, context: Context) -> bool:
        """Ask for the worker to be free."""
        return no_job_runs(cls)

    def engine_job(self, *arguments: str) -> JobRequest:
        """Return the job; whatever runs from the engine has ended.

        Raises:
            CgcError: there is no Python to do it with.
        """
        base = find_base()
        jobs.close_workers()
        jobs.keep_worker_report(None)
        facts.keep_check(None)
        return JobRequest(
            (*arguments, *folder_option()),
            worker=starts_installer(base),
            cancel_seconds=TIDY_SECONDS,
        )

    def start_modal(self, context: Context) -> set[OperatorReturnItems]:
        """Stay with a window that stays: that of the preferences may be closed meanwhile."""
        with context.temp_override(window=_main_window(context)):
            return super().start_modal(context)

    def failed(self, context: Context, sentence: str) -> None:
        facts.look()

    def blocked(self, state: JobState) -> None:
        """Print how far it is, where there is no window."""
        if not bpy.app.background:
            return
        done = f"{state.done:,} of {state.total:,}" if state.total else ""
        line = f"{state.title}: {state.stage}  {done}".rstrip()
        if line != self._printed:
            print(line, flush=True)  # noqa: T201 - there is nothing else to show it
            self._printed = line


class Installation(EngineJob):
    """What the operators share that end with an engine that is as its lock says."""

    if TYPE_CHECKING:
        build: str
        archive: str
    else:
        build: EnumProperty(name="Build", items=BUILDS, default=AUTOMATIC, options={"SKIP_SAVE"})
        archive: StringProperty(
            name="Engine Archive",
            description="File that holds all packages; empty: they are downloaded",
            subtype="FILE_PATH",
            options={"SKIP_SAVE"},
        )

    def begin(self, context: Context) -> JobRequest:
        """Say what is to be installed from where."""
        arguments = ["install-engine", "--build", self.build]
        if self.archive.strip():
            path = Path(bpy.path.abspath(self.archive.strip())).expanduser()
            if not path.is_file():
                raise CgcError(f"{path} is not a file; choose an engine archive.")
            arguments += ["--from", str(path)]
        elif sentence := offline_sentence():
            raise CgcError(sentence)
        return self.engine_job(*arguments)

    def cancelled(self, state: JobState) -> str:
        facts.look()
        return f"{state.title} was cancelled; the next time it goes on with what has come"

    def finish(self, context: Context, state: JobState) -> set[OperatorReturnItems]:
        facts.look()
        if state.phase is not Phase.DONE or state.result is None:
            self.report({"WARNING"}, self.cancelled(state))
            return {"CANCELLED"}
        size, folder = in_words(int(state.result["bytes"])), state.result["folder"]
        for note in state.result["notes"]:
            self.report({"INFO"}, note)
        done = "ready" if state.result["changed"] else "well already"
        self.report({"INFO"}, f"The engine is {done}: {size} in {folder}")
        return {"FINISHED"}


class CGC_OT_install_engine(Installation, bpy.types.Operator):  # noqa: N801 - Blender's convention
    """`cgc.install_engine`."""

    bl_idname = "cgc.install_engine"
    bl_label = "Install Engine"
    bl_description = (
        "Install what trains and draws splats, in a folder of its own outside of Blender; nothing "
        "of it is loaded into Blender"
    )
    bl_options = {"REGISTER"}  # noqa: RUF012 - Blender's convention


class CGC_OT_install_engine_archive(Installation, bpy.types.Operator):  # noqa: N801
    """`cgc.install_engine_archive`."""

    bl_idname = "cgc.install_engine_archive"
    bl_label = "Install Engine from Archive…"
    bl_description = "Install the engine from a file that holds all its packages, without a network"
    bl_options = {"REGISTER"}  # noqa: RUF012 - Blender's convention

    if TYPE_CHECKING:
        filepath: str
        filter_glob: str
    else:
        filepath: StringProperty(subtype="FILE_PATH", options={"SKIP_SAVE", "HIDDEN"})
        filter_glob: StringProperty(default="*.zip", options={"HIDDEN"})

    def invoke(self, context: Context, event: Event) -> set[OperatorReturnItems]:
        """Ask for the file."""
        window_manager_of(context).fileselect_add(self)
        return {"RUNNING_MODAL"}

    def draw(self, context: Context) -> None:
        """Show no options: the archive says it all."""

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        """Install it while the window goes on working."""
        self.archive = self.filepath
        if bpy.app.background or context.window is None:
            return super().execute(context)
        return self.start_modal(context)


class CGC_OT_install_engine_dialog(bpy.types.Operator):  # noqa: N801 - Blender's convention
    """`cgc.install_engine_dialog`."""

    bl_idname = "cgc.install_engine_dialog"
    bl_label = "Install Engine…"
    bl_description = (
        "Show what trains and draws splats would take on this machine, and install it on OK"
    )
    bl_options = {"INTERNAL"}  # noqa: RUF012 - Blender's convention

    if TYPE_CHECKING:
        build: str
        _plan: EnginePlan
    else:
        build: EnumProperty(name="Build", items=BUILDS, default=AUTOMATIC)

    @classmethod
    def poll(cls, context: Context) -> bool:
        """Ask for the worker to be free."""
        return no_job_runs(cls)

    def invoke(self, context: Context, event: Event) -> set[OperatorReturnItems]:
        """Look at what there is, and show it."""
        try:
            self._plan = plan_engine()
        except CgcError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        return window_manager_of(context).invoke_props_dialog(
            self, width=DIALOG_WIDTH, title="Install Engine", confirm_text="Install"
        )

    def draw(self, context: Context) -> None:
        """Say what OK does."""
        draw_plan(layout_of(self), self._plan, self.build)
        row = layout_of(self).row()
        row.prop(self, "build", expand=True)

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        """Start the job."""
        if not self._plan.has_room(self.build) and facts.look().engine is None:
            self.report({"ERROR"}, f"{self._plan.room_sentence(self.build)}.")
            return {"CANCELLED"}
        cast("Any", bpy.ops).cgc.install_engine(
            "INVOKE_DEFAULT", build=self._plan.build(self.build).name
        )
        return {"FINISHED"}


def draw_plan(layout: UILayout, plan: EnginePlan, build: str) -> None:
    """Draw what would be installed where."""
    column = layout.column(align=True)
    column.label(text="What trains and draws splats comes into a folder of its own:")
    column.label(text=str(plan.folder(build)), icon="FILE_FOLDER")
    column.label(
        text="It stays when Blender or this extension is updated or removed.", icon="BLANK1"
    )
    column.separator()
    column.label(text=plan.size_sentence(build), icon="IMPORT")
    icon = "DISK_DRIVE" if plan.has_room(build) else "ERROR"
    column.label(text=plan.room_sentence(build), icon=icon)
    name = plan.build(build).name.upper()
    why = "an NVIDIA driver answers" if plan.nvidia else "no NVIDIA driver answers"
    column.label(text=f"Build of PyTorch: {name} ({why})", icon="MEMORY")
    if not plan.base.own:
        text = f"Made with Python {plan.base.python}: {plan.base.program}"
        column.label(text=text, icon="FILE_SCRIPT")
    if offline_sentence():
        draw_offline(layout)


def draw_offline(layout: UILayout) -> None:
    """Say that Blender may not go online, and offer what can be done."""
    box = layout.box()
    box.label(text="Blender may not go online.", icon="INTERNET_OFFLINE")
    row = box.row()
    if not bpy.app.online_access_override:
        row.operator(
            "extensions.userpref_allow_online", text="Allow Online Access", icon="CHECKMARK"
        )
    row.operator("cgc.install_engine_archive", text="From Archive…", icon="FILE_ARCHIVE")


def _main_window(context: Context) -> Window | None:
    """Return a window that is no child of another one."""
    windows = window_manager_of(context).windows
    return next((window for window in windows if window.parent is None), members_of(context).window)


CLASSES = (CGC_OT_install_engine, CGC_OT_install_engine_archive, CGC_OT_install_engine_dialog)


def register() -> None:
    """Register the operators."""
    for cls in CLASSES:
        bpy.utils.register_class(cls)


def unregister() -> None:
    """Take them away again."""
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
