# SPDX-License-Identifier: GPL-3.0-or-later
"""The box in the preferences that shows the worker: which Python, what it has, what it lacks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...errors import CgcError
from ..common.interpreter import Interpreter
from ..common.preferences import chosen_interpreter
from ..jobs import registry as jobs
from ..jobs.worker_report import WorkerReport
from .layout import say

if TYPE_CHECKING:
    from bpy.types import Context, UILayout


def draw_worker_box(layout: UILayout, context: Context) -> None:
    """Draw the box.

    Args:
        layout: of the preferences.
        context: Blender's.
    """
    box = layout.box()
    row = box.row()
    row.label(text="Worker", icon="CONSOLE")
    row.operator("cgc.check_worker", text="Check", icon="FILE_REFRESH")
    if (state := jobs.current()) is not None and state.verb == "probe" and not state.ended:
        box.label(text="Starting it …", icon="SORTTIME")
    elif (report := jobs.worker_report()) is not None:
        _draw_report(box, context, report)
    else:
        try:
            _draw_interpreter(box, chosen_interpreter())
        except CgcError as error:
            say(box, context, str(error), "ERROR")


def _draw_interpreter(layout: UILayout, interpreter: Interpreter) -> None:
    layout.label(text=f"{interpreter.path} ({interpreter.origin})", icon="FILE_SCRIPT")


def _draw_report(layout: UILayout, context: Context, report: WorkerReport) -> None:
    _draw_interpreter(layout, report.interpreter)
    if report.python:
        layout.label(text=f"Python {report.python}, {report.system}, {report.cores} cores")
    if report.error:
        say(layout, context, report.error, "ERROR")
    if report.why:
        say(layout, context, report.why, "CHECKMARK")
    if report.missing:
        _draw_cure(layout, context, report)
    grid = layout.grid_flow(row_major=True, columns=2, even_columns=True, align=True)
    for name, version in report.packages.items():
        grid.label(text=f"{name}  {version or 'missing'}", icon="CHECKMARK" if version else "X")


def _draw_cure(layout: UILayout, context: Context, report: WorkerReport) -> None:
    if report.interpreter.own:
        layout.label(text="Packages are missing: Install Engine brings them.", icon="ERROR")
        return
    row = layout.row()
    row.label(text="Packages are missing there. To add them by hand:", icon="ERROR")
    row.operator("cgc.copy_install_command", text="Copy", icon="COPYDOWN")
    say(layout, context, report.command)
