# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel "Engine" of the sidebar, there only while the engine is missing, broken or changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import bpy

from ..common.buttons import layout_of
from ..install import facts
from ..jobs import registry as jobs
from .job_box import draw_job, draw_preferences_button, draw_problem
from .layout import SidebarPanel, say

if TYPE_CHECKING:
    from bpy.types import Context, UILayout

VERBS = ("install-engine", "check-engine", "remove-engine")
OPERATORS = (
    "CGC_OT_install_engine", "CGC_OT_install_engine_archive", "CGC_OT_check_engine",
    "CGC_OT_repair_engine", "CGC_OT_update_engine", "CGC_OT_remove_engine",
)  # fmt: skip


class CGC_PT_engine(SidebarPanel, bpy.types.Panel):  # noqa: N801 - Blender's convention
    """Install what trains and draws, before anything else."""

    bl_label = "Engine"

    @classmethod
    def poll(cls, context: Context) -> bool:
        """Stay out of the way while the engine is well."""
        state, seen = jobs.current(), facts.facts_now()
        if state is not None and not state.ended and state.verb in VERBS:
            return True
        return seen is not None and (seen.missing or bool(seen.problem))

    def draw(self, context: Context) -> None:
        """Draw the button, or how far it is."""
        layout, seen = layout_of(self), facts.facts_now()
        if draw_job(layout, context, *VERBS):
            return
        draw_problem(layout, context, *OPERATORS)
        if seen is None:
            return
        if seen.problem:
            say(layout, context, seen.problem, "ERROR")
            if seen.engine is not None:
                layout.operator("cgc.repair_engine", icon="TOOL_SETTINGS")
            draw_preferences_button(layout)
            return
        say(layout, context, "What trains and draws splats is not installed yet.", "INFO")
        draw_install_button(layout)


def draw_install_button(layout: UILayout) -> None:
    """Draw the button that everything begins with."""
    column = layout.column(align=True)
    column.scale_y = 1.6
    column.operator("cgc.install_engine_dialog", icon="IMPORT")


CLASSES = (CGC_PT_engine,)
