# SPDX-License-Identifier: GPL-3.0-or-later
"""Check, repair, update and remove the engine that is installed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import bpy
from bpy.props import BoolProperty

from ...errors import CgcError
from ...installation.engine import Engine
from ...installation.space import in_words
from ..common.buttons import layout_of, set_options
from ..common.context import window_manager_of
from ..jobs.job import JobState, Phase
from ..jobs.modal import JobRequest
from . import facts
from .install_operators import EngineJob, Installation
from .plan import AUTOMATIC

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems
    from bpy.types import Context, Event, Menu

NONE = "There is no engine; press Install Engine."


class CGC_OT_check_engine(EngineJob, bpy.types.Operator):  # noqa: N801 - Blender's convention
    """`cgc.check_engine`."""

    bl_idname = "cgc.check_engine"
    bl_label = "Check Engine"
    bl_description = (
        "Look at every file of the engine, load what is needed of it, and say what is wrong"
    )
    bl_options = {"REGISTER"}  # noqa: RUF012 - Blender's convention

    def begin(self, context: Context) -> JobRequest:
        installed_engine()
        return self.engine_job("check-engine")

    def finish(self, context: Context, state: JobState) -> set[OperatorReturnItems]:
        found = state.result or {}
        facts.keep_check(found)
        facts.look()
        if found.get("problems"):
            raise CgcError(f"{found['problems'][0]} Press Repair in the preferences.")
        self.report({"INFO"}, "The engine is well")
        return {"FINISHED"}


class CGC_OT_repair_engine(Installation, bpy.types.Operator):  # noqa: N801
    """`cgc.repair_engine`."""

    bl_idname = "cgc.repair_engine"
    bl_label = "Repair Engine"
    bl_description = (
        "Put right what is wrong with the engine; what is there and whole is not fetched again"
    )
    bl_options = {"REGISTER"}  # noqa: RUF012 - Blender's convention

    def begin(self, context: Context) -> JobRequest:
        self.build = installed_engine().build
        return super().begin(context)


class CGC_OT_update_engine(Installation, bpy.types.Operator):  # noqa: N801
    """`cgc.update_engine`."""

    bl_idname = "cgc.update_engine"
    bl_label = "Update Engine"
    bl_description = (
        "Fetch the packages that this version of the extension wants in place of others"
    )
    bl_options = {"REGISTER"}  # noqa: RUF012 - Blender's convention

    def begin(self, context: Context) -> JobRequest:
        self.build = installed_engine().build
        return super().begin(context)


class CGC_OT_remove_engine(EngineJob, bpy.types.Operator):  # noqa: N801 - Blender's convention
    """`cgc.remove_engine`."""

    bl_idname = "cgc.remove_engine"
    bl_label = "Remove Engine"
    bl_description = "Delete the engine, all of it; trained splats and .blend files stay"
    bl_options = {"REGISTER"}  # noqa: RUF012 - Blender's convention

    if TYPE_CHECKING:
        ask: bool
    else:
        ask: BoolProperty(
            name="Ask",
            description="Ask before it is deleted",
            default=False,
            options={"SKIP_SAVE", "HIDDEN"},
        )

    def invoke(self, context: Context, event: Event) -> set[OperatorReturnItems]:
        if not self.ask or bpy.app.background:
            return super().invoke(context, event)
        window_manager_of(context).popup_menu(_question, title="Remove the engine?", icon="TRASH")
        return {"CANCELLED"}

    def begin(self, context: Context) -> JobRequest:
        """Take the engine, or else what an installation that was stopped has left."""
        seen = facts.look()
        build = AUTOMATIC if seen.unfinished else installed_engine().build
        return self.engine_job("remove-engine", "--build", build)

    def finish(self, context: Context, state: JobState) -> set[OperatorReturnItems]:
        facts.look()
        if state.phase is not Phase.DONE or state.result is None:
            return {"CANCELLED"}
        for sentence in state.result["sentences"]:
            self.report({"INFO"}, sentence)
        self.report({"INFO"}, f"{in_words(int(state.result['freed']))} are free again")
        return {"FINISHED"}


def installed_engine() -> Engine:
    """Return the engine that is there.

    Raises:
        CgcError: there is none.
    """
    engine = facts.look().engine
    if engine is None:
        raise CgcError(NONE)
    return engine


def _question(menu: Menu, _context: Context) -> None:
    seen = facts.facts_now()
    size = "" if seen is None or seen.engine is None else f" {in_words(seen.engine.size)}"
    layout = layout_of(menu)
    layout.operator_context = "INVOKE_DEFAULT"
    button = layout.operator("cgc.remove_engine", text=f"Delete{size}", icon="TRASH")
    set_options(button, ask=False)


CLASSES = (
    CGC_OT_check_engine,
    CGC_OT_repair_engine,
    CGC_OT_update_engine,
    CGC_OT_remove_engine,
)


def register() -> None:
    """Register the operators."""
    for cls in CLASSES:
        bpy.utils.register_class(cls)


def unregister() -> None:
    """Take them away again."""
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
