# SPDX-License-Identifier: GPL-3.0-or-later
"""Windows around the scene: their areas, drawing them again, and the status bar."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, cast

import bpy

from .context import members_of

if TYPE_CHECKING:
    from bpy.types import Area, Context, SpaceView3D


def areas_of(context: Context, *kinds: str) -> Iterator[Area]:
    """Yield the areas of every window: those of some types, such as "VIEW_3D", or all."""
    manager = members_of(context).window_manager
    for window in manager.windows if manager is not None else ():
        for area in window.screen.areas:
            if not kinds or area.type in kinds:
                yield area


def viewports_in(areas: Iterable[Area]) -> Iterator[SpaceView3D]:
    """Yield the 3D viewports of areas, also those that wait behind another editor."""
    for area in areas:
        for space in area.spaces:
            if space.type == "VIEW_3D":
                yield cast("SpaceView3D", space)


def redraw_panels(context: Context) -> None:
    """Draw the sidebars and the preferences again, and not the scene: that may take long."""
    for area in areas_of(context, "VIEW_3D", "PREFERENCES"):
        for region in area.regions:
            if region.type == "UI" or area.type == "PREFERENCES":
                region.tag_redraw()


def redraw_viewports(context: Context) -> None:
    """Draw the scene again, and not the sidebars."""
    for area in areas_of(context, "VIEW_3D"):
        for region in area.regions:
            if region.type == "WINDOW":
                region.tag_redraw()


def show_status(context: Context, line: str | None) -> None:
    """Write into the status bar; None gives it back to Blender."""
    if line is None:
        for workspace in bpy.data.workspaces:  # the user may have gone from one to the next
            workspace.status_text_set(None)
    elif (workspace := members_of(context).workspace) is not None:
        workspace.status_text_set(line)
