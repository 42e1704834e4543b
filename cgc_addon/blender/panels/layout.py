# SPDX-License-Identifier: GPL-3.0-or-later
"""What panels have in common: the tab, and sentences over as many lines as they need."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import blf

from ..common.context import members_of, preferences_of

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import IconItems
    from bpy.types import Context, UILayout

MARGIN = 62.0
"""Pixels, at a scale of 1, that the tabs, a panel's borders and a box take from a line."""
ICON = 20.0
"""Pixels, at a scale of 1, of an icon."""


class SidebarPanel:
    """What the panels of the tab "CGC" have in common."""

    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "CGC"


def say(layout: UILayout, context: Context, sentence: str, icon: IconItems = "NONE") -> None:
    """Draw a sentence over as many lines as it needs; Blender would cut it short."""
    region, preferences = members_of(context).region, preferences_of(context)
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
