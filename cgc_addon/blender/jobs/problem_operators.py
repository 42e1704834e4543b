# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be done with the message of a job that failed: take it away, copy it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import bpy

from ..common.context import window_manager_of
from . import registry as jobs

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems
    from bpy.types import Context


class CGC_OT_dismiss_problem(bpy.types.Operator):  # noqa: N801 - Blender's convention
    """`cgc.dismiss_problem`."""

    bl_idname = "cgc.dismiss_problem"
    bl_label = "Dismiss"
    bl_description = "Take this message away"
    bl_options = {"INTERNAL"}  # noqa: RUF012 - Blender's convention

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        """Forget it."""
        jobs.keep_problem(None)
        return {"FINISHED"}


class CGC_OT_copy_problem(bpy.types.Operator):  # noqa: N801 - Blender's convention
    """`cgc.copy_problem`."""

    bl_idname = "cgc.copy_problem"
    bl_label = "Copy Message"
    bl_description = "Copy this message to the clipboard"
    bl_options = {"INTERNAL"}  # noqa: RUF012 - Blender's convention

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        """Copy it."""
        problem = jobs.problem()
        window_manager_of(context).clipboard = problem.sentence if problem else ""
        return {"FINISHED"}


CLASSES = (CGC_OT_dismiss_problem, CGC_OT_copy_problem)


def register() -> None:
    """Register the operators."""
    for cls in CLASSES:
        bpy.utils.register_class(cls)


def unregister() -> None:
    """Take them away again."""
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
