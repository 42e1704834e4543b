# SPDX-License-Identifier: GPL-3.0-or-later
"""How panels show the job in the worker: how far it is, why the last one failed, and the cure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ...masks.models.known import KNOWN
from ..common.buttons import set_options
from ..common.mask_models import download_label
from ..common.preferences import PACKAGE
from ..common.spoken import spoken
from ..jobs import registry as jobs
from ..jobs.wording import number_lines, stage_line, units_line, whole_line
from .layout import say

if TYPE_CHECKING:
    from bpy.types import Context, UILayout

WITH_PAUSE = ("train", "from-photos", "masks")
"""Verbs that can wait, and that keep what they have when they are stopped."""


def draw_job(layout: UILayout, context: Context, *verbs: str) -> bool:
    """Draw how far a running job is, with buttons to end it, if it runs one of these verbs.

    Returns:
        Whether there was something to draw.
    """
    state = jobs.current()
    if state is None or state.ended or state.verb not in verbs:
        return False
    column = layout.column()
    column.label(text=state.title, icon="SORTTIME")
    if state.overall is None:
        column.progress(factor=state.fraction, text=stage_line(state))
    else:
        column.progress(factor=state.fraction, text=whole_line(state))
    numbers = column.column(align=True)
    numbers.scale_y = 0.8
    if state.overall is not None:
        numbers.label(text=units_line(state))
    for line in number_lines(state):
        numbers.label(text=line)
    column = layout.column(align=True)
    buttons = column.row(align=True)
    if state.verb in WITH_PAUSE:
        if state.paused:
            buttons.operator("cgc.pause_training", text="Resume", icon="PLAY")
        else:
            buttons.operator("cgc.pause_training", text="Pause", icon="PAUSE")
        buttons.operator("cgc.stop_training", text="Stop and Keep", icon="CHECKMARK")
    column.operator("cgc.cancel_training", text="Cancel", icon="CANCEL")
    if state.notes:
        say(layout, context, spoken(state.notes[-1]), "INFO")
    return True


def training_runs() -> bool:
    """Return whether the job that runs is a training."""
    state = jobs.current()
    return state is not None and not state.ended and state.verb == "train"


def draw_problem(layout: UILayout, context: Context, *operators: str, link: bool = True) -> None:
    """Draw why one of these operators, `cgc.train` and such, failed the last time.

    Args:
        layout: of a panel.
        context: Blender's.
        operators: as Blender calls their classes.
        link: whether to lead to the preferences where these have the cure.
    """
    problem = jobs.problem()
    if problem is None or problem.operator not in operators:
        return
    box = layout.box()
    say(box, context, spoken(problem.sentence), "ERROR")
    row = box.row(align=True)
    row.operator("cgc.dismiss_problem", icon="X")
    row.operator("cgc.copy_problem", text="", icon="COPYDOWN")
    if (wanted := re.search(r"--download (\w+)", problem.sentence)) and wanted[1] in KNOWN:
        draw_download(box, wanted[1])
    if link and any(word in problem.sentence for word in ("preferences", "Python")):
        draw_preferences_button(box)


def draw_download(layout: UILayout, model: str) -> None:
    """Draw the button that downloads a mask model."""
    button = layout.operator("cgc.download_mask_model", text=download_label(model), icon="INTERNET")
    set_options(button, model=model)


def draw_worker(layout: UILayout, context: Context) -> None:
    """Say if the last check found that the worker cannot be used, and where to change that."""
    report = jobs.worker_report()
    if report is None or report.usable:
        return
    box = layout.box()
    say(box, context, report.sentence(), "ERROR")
    draw_preferences_button(box)


def draw_preferences_button(layout: UILayout) -> None:
    """Draw the button that opens this extension's preferences."""
    button = layout.operator("preferences.addon_show", text="Open Preferences", icon="PREFERENCES")
    set_options(button, module=PACKAGE)
