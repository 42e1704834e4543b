# SPDX-License-Identifier: GPL-3.0-or-later
"""How panels say something: sentences over several lines, what is there, what went wrong."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import blf
import bpy

from ...masks.models.known import KNOWN
from ..common.mask_models import download_label
from ..common.preferences import PACKAGE
from ..jobs import registry as jobs
from ..jobs.job import JobState
from ..jobs.modal import duration

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import IconItems
    from bpy.types import Context, Panel, UILayout

MARGIN = 62.0
"""Pixels, at a scale of 1, that the tabs, a panel's borders and a box take from a line."""
ICON = 20.0
"""Pixels, at a scale of 1, of an icon."""
NUMBERS = (
    ("psnr", "{:.1f} dB"),
    ("loss", "loss {:.4f}"),
    ("gaussians", "{:,.0f} Gaussians"),
    ("steps_per_second", "{:.1f} steps/s"),
)


WITH_PAUSE = ("train", "from-photos", "masks")
"""Verbs that can wait, and that keep what they have when they are stopped."""


class SidebarPanel:
    """What the panels of the tab "CGC" have in common."""

    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "CGC"


def layout_of(panel: Panel) -> UILayout:
    """Return the layout of a panel that is being drawn."""
    return cast("UILayout", panel.layout)


def say(layout: UILayout, context: Context, sentence: str, icon: IconItems = "NONE") -> None:
    """Draw a sentence over as many lines as it needs; Blender would cut it short."""
    region, preferences = cast("Any", context.region), cast("Any", context.preferences)
    scale = preferences.system.ui_scale or 1.0  # 0 where there is no window
    width = (280.0 * scale if region is None else region.width) - MARGIN * scale
    if icon != "NONE":
        width -= ICON * scale
    blf.size(0, preferences.ui_styles[0].widget.points * scale)
    column = layout.column(align=True)
    column.scale_y = 0.8
    for number, line in enumerate(
        wrapped(sentence, width, lambda text: blf.dimensions(0, text)[0])
    ):
        following: IconItems = "NONE" if icon == "NONE" else "BLANK1"
        column.label(text=line, icon=icon if number == 0 else following)


def wrapped(sentence: str, width: float, measure: Callable[[str], float]) -> list[str]:
    """Return the lines of a sentence that are no wider than `width`, longer words taken apart.

    Args:
        sentence: words between spaces.
        width: as `measure` counts it.
        measure: width of a text.
    """
    lines = [""]
    for word in sentence.split():
        rest = word
        while rest:
            together = f"{lines[-1]} {rest}".strip()
            if measure(together) <= width:
                lines[-1], rest = together, ""
            elif lines[-1]:
                lines.append("")
            else:  # a word that is wider than a line, such as a path
                fitting = [end for end in range(1, len(rest)) if measure(rest[:end]) <= width]
                ends = [end for end in fitting if rest[end - 1] in "/\\"] or fitting
                end = max(ends, default=1)
                lines[-1], rest = rest[:end], rest[end:]
                lines.append("")
    return [line for line in lines if line]


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
        column.progress(factor=state.fraction, text=_stage(state))
    else:
        column.progress(factor=state.fraction, text=_whole(state))
    numbers = column.column(align=True)
    numbers.scale_y = 0.8
    if state.overall is not None:
        numbers.label(text=_units(state))
    for line in _numbers(state):
        numbers.label(text=line)
    column = layout.column(align=True)
    buttons = column.row(align=True)
    if state.verb in WITH_PAUSE:
        text, icon = ("Resume", "PLAY") if state.paused else ("Pause", "PAUSE")
        buttons.operator("cgc.pause_training", text=text, icon=cast("Any", icon))
        buttons.operator("cgc.stop_training", text="Stop and Keep", icon="CHECKMARK")
    column.operator("cgc.cancel_training", text="Cancel", icon="CANCEL")
    if state.notes:
        say(layout, context, state.notes[-1], "INFO")
    return True


def training_runs() -> bool:
    """Return whether the job that runs is a training."""
    state = jobs.current()
    return state is not None and not state.ended and state.verb == "train"


def draw_problem(layout: UILayout, context: Context, *operators: str) -> None:
    """Draw why one of these operators, `cgc.train` and such, failed the last time."""
    problem = jobs.problem()
    if problem is None or problem.operator not in operators:
        return
    box = layout.box()
    say(box, context, problem.sentence, "ERROR")
    row = box.row(align=True)
    row.operator("cgc.dismiss_problem", icon="X")
    row.operator("cgc.copy_problem", text="", icon="COPYDOWN")
    if (wanted := re.search(r"--download (\w+)", problem.sentence)) and wanted[1] in KNOWN:
        draw_download(box, wanted[1])
    if any(word in problem.sentence for word in ("preferences", "Python")):
        draw_preferences_button(box)


def draw_download(layout: UILayout, model: str) -> None:
    """Draw the button that downloads a mask model."""
    button = layout.operator("cgc.download_mask_model", text=download_label(model), icon="INTERNET")
    cast("Any", button).model = model


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
    cast("Any", button).module = PACKAGE


def _stage(state: JobState) -> str:
    words = [_units(state)]
    if state.seconds_left is not None and not state.stopping:
        words.append(f"{duration(state.seconds_left)} left")
    return "  ·  ".join(words)


def _units(state: JobState) -> str:
    """Say what is being done, and how much of it is done."""
    words = [state.stage if not state.stopping else "Ending"]
    if state.paused:
        words = ["Paused"]
    if state.total:
        words.append(f"{state.done:,} / {state.total:,}")
    return "  ·  ".join(words)


def _whole(state: JobState) -> str:
    """Say how far a job of several stages is as a whole."""
    words = [f"{state.fraction:.0%}"]
    if state.seconds_left is not None and not state.stopping:
        words.append(f"{duration(state.seconds_left)} left")
    return "  ·  ".join(words)


def _numbers(state: JobState) -> list[str]:
    """Return the numbers of a state, two a line."""
    words = [text.format(state.numbers[name]) for name, text in NUMBERS if name in state.numbers]
    words.append(f"{duration(state.seconds)} so far")
    return ["  ·  ".join(words[place : place + 2]) for place in range(0, len(words), 2)]


class CGC_OT_dismiss_problem(bpy.types.Operator):  # noqa: N801 - Blender's convention
    """`cgc.dismiss_problem`."""

    bl_idname = "cgc.dismiss_problem"
    bl_label = "Dismiss"
    bl_description = "Take this message away"
    bl_options = {"INTERNAL"}  # noqa: RUF012 - Blender's convention

    def execute(self, context: Context) -> Any:
        """Forget it."""
        jobs.keep_problem(None)
        return {"FINISHED"}


class CGC_OT_copy_problem(bpy.types.Operator):  # noqa: N801 - Blender's convention
    """`cgc.copy_problem`."""

    bl_idname = "cgc.copy_problem"
    bl_label = "Copy Message"
    bl_description = "Copy this message to the clipboard"
    bl_options = {"INTERNAL"}  # noqa: RUF012 - Blender's convention

    def execute(self, context: Context) -> Any:
        """Copy it."""
        problem = jobs.problem()
        cast("Any", context.window_manager).clipboard = problem.sentence if problem else ""
        return {"FINISHED"}


CLASSES = (CGC_OT_dismiss_problem, CGC_OT_copy_problem)
