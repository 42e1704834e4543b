# SPDX-License-Identifier: GPL-3.0-or-later
"""Pause, stop and cancel: what can be asked of whatever runs in the worker.

The operators' ids name training, the first job there was; scripts and shortcuts rely on them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import bpy

from . import registry as jobs
from .modal import a_job_runs

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems
    from bpy.types import Context


class CGC_OT_pause_job(bpy.types.Operator):  # noqa: N801 - Blender's convention
    """`cgc.pause_training`: let the job wait, or go on."""

    bl_idname = "cgc.pause_training"
    bl_label = "Pause"
    bl_description = "Let what is running wait after the step it is at, or go on again"
    bl_options = {"REGISTER"}  # noqa: RUF012 - Blender's convention

    @classmethod
    def poll(cls, context: Context) -> bool:
        return _can_be_ended(cls)

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        state = jobs.current()
        if state is not None and state.paused:
            jobs.resume()
        else:
            jobs.pause()
        return {"FINISHED"}


class CGC_OT_stop_job(bpy.types.Operator):  # noqa: N801 - Blender's convention
    """`cgc.stop_training`: end the job and keep what there is."""

    bl_idname = "cgc.stop_training"
    bl_label = "Stop and Keep"
    bl_description = "End what is running after the step it is at, and keep what there is"
    bl_options = {"REGISTER"}  # noqa: RUF012 - Blender's convention

    @classmethod
    def poll(cls, context: Context) -> bool:
        return _can_be_ended(cls)

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        jobs.stop()
        return {"FINISHED"}


class CGC_OT_cancel_job(bpy.types.Operator):  # noqa: N801 - Blender's convention
    """`cgc.cancel_training`: end the job and leave the scene as it is."""

    bl_idname = "cgc.cancel_training"
    bl_label = "Cancel"
    bl_description = "End what is running and leave the scene as it is"
    bl_options = {"REGISTER"}  # noqa: RUF012 - Blender's convention

    @classmethod
    def poll(cls, context: Context) -> bool:
        return a_job_runs(cls)

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        jobs.cancel()
        return {"FINISHED"}


def _can_be_ended(operator: type[bpy.types.Operator]) -> bool:
    state = jobs.current()
    if not a_job_runs(operator):
        return False
    if state is not None and state.stopping:
        operator.poll_message_set("It is being ended already")
        return False
    return True


CLASSES = (CGC_OT_pause_job, CGC_OT_stop_job, CGC_OT_cancel_job)


def register() -> None:
    """Register the operators."""
    for cls in CLASSES:
        bpy.utils.register_class(cls)


def unregister() -> None:
    """Take them away again."""
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
