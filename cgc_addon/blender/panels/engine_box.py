# SPDX-License-Identifier: GPL-3.0-or-later
"""The box in the preferences that shows the engine: installed, looked after, taken away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...installation.space import in_words
from ..common.buttons import set_options
from ..common.mask_models import FALLBACK
from ..common.spoken import spoken
from ..install import facts
from ..install.facts import EngineFacts
from .engine import OPERATORS, VERBS, draw_install_button
from .job_box import draw_download, draw_job, draw_problem
from .layout import say

if TYPE_CHECKING:
    from bpy.types import Context, UILayout

    from ...installation.engine import Engine

MOST_PROBLEMS = 6


def draw_engine_box(layout: UILayout, context: Context) -> None:
    """Draw the box, in the preferences."""
    box = layout.box()
    box.label(text="Engine", icon="MODIFIER")
    if draw_job(box, context, *VERBS, "models"):
        return
    draw_problem(box, context, *OPERATORS, "CGC_OT_download_mask_model", link=False)
    seen = facts.facts_now()
    if seen is None:
        box.label(text="Looking …", icon="SORTTIME")
        return
    if seen.engine is None:
        _draw_none(box, context, seen)
    else:
        _draw_engine(box, context, seen, seen.engine)
    if FALLBACK not in seen.models and not seen.missing:
        say(box, context, "To make masks of photos, a mask model is needed as well:", "INFO")
        draw_download(box, FALLBACK)


def _draw_none(layout: UILayout, context: Context, seen: EngineFacts) -> None:
    if seen.unfinished:
        row = layout.row()
        row.label(text="What was downloaded is kept for the next try.", icon="INFO")
        set_options(row.operator("cgc.remove_engine", text="Remove…", icon="TRASH"), ask=True)
    if seen.missing:
        say(layout, context, "What trains and draws splats is not installed yet.", "INFO")
        draw_install_button(layout)
        return
    text = seen.problem or "Not installed: the Python below does its work."
    say(layout, context, text, "ERROR" if seen.problem else "INFO")
    layout.operator("cgc.install_engine_dialog", icon="IMPORT")


def _draw_engine(layout: UILayout, context: Context, seen: EngineFacts, engine: Engine) -> None:
    column = layout.column(align=True)
    text = f"Python {engine.python}, build {engine.build.upper()}, {in_words(engine.size)}"
    column.label(text=text, icon="CHECKMARK")
    say(column, context, str(engine.home.folder), "FILE_FOLDER")
    problems = _draw_check(layout, context, seen)
    if seen.update:
        say(layout, context, "This version of the extension wants other packages.", "INFO")
        layout.operator("cgc.update_engine", icon="IMPORT")
    row = layout.row()
    row.operator("cgc.check_engine", text="Check", icon="FILE_REFRESH")
    if problems:
        row.operator("cgc.repair_engine", text="Repair", icon="TOOL_SETTINGS")
    row.operator("cgc.install_engine_dialog", text="Other Build…", icon="MEMORY")
    set_options(row.operator("cgc.remove_engine", text="Remove…", icon="TRASH"), ask=True)


def _draw_check(layout: UILayout, context: Context, seen: EngineFacts) -> bool:
    """Draw what the last check found, and return whether something is wrong."""
    found = facts.checked()
    problems = [str(problem) for problem in found["problems"]] if found else []
    if seen.problem:
        problems = [seen.problem]
    for problem in problems[:MOST_PROBLEMS]:
        say(layout, context, spoken(problem), "ERROR")
    if len(problems) > MOST_PROBLEMS:
        layout.label(text=f"and {len(problems) - MOST_PROBLEMS} more", icon="BLANK1")
    if found and not problems:
        free = "" if found["free"] is None else f"; {in_words(int(found['free']))} free"
        text = f"All {len(found['packages'])} packages are whole and load{free}"
        layout.label(text=text, icon="CHECKMARK")
    for note in found["notes"] if found else ():
        say(layout, context, str(note), "INFO")
    return bool(problems)
