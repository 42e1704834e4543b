# SPDX-License-Identifier: GPL-3.0-or-later
"""Where Blender calls with each redraw of a 3D viewport, and what redraws it until all is there."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import bpy
from bpy.app.handlers import persistent

from ...errors import CgcError
from ..common.windows import areas_of, redraw_viewports
from ..splats.stand_in import set_drawing
from .viewport import ViewportDrawing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bpy.types import Region

    from .picture import Painter

LOOK_AGAIN_SECONDS = 0.03
"""How often unfinished pictures are looked at."""


@dataclass
class _Active:
    """What draws; there is one of it at most."""

    handle: Any = None
    viewport: ViewportDrawing | None = None
    problem: str = ""
    """Why splats cannot be drawn."""


_active = _Active()


def register() -> None:
    """Draw splats from now on; without windows there is nothing to draw into."""
    if bpy.app.background:
        return
    if hasattr(bpy.data, "objects"):  # else Blender has just started, and nothing has failed yet
        set_drawing(True)
    _active.viewport, _active.problem = ViewportDrawing(), ""
    _active.handle = bpy.types.SpaceView3D.draw_handler_add(_draw, (), "WINDOW", "POST_VIEW")
    bpy.app.handlers.load_pre.append(_before_load)
    redraw_viewports(bpy.context)


def unregister() -> None:
    """Draw them no more, and free the graphics card."""
    if _before_load in bpy.app.handlers.load_pre:  # not in background mode
        bpy.app.handlers.load_pre.remove(_before_load)
    _stop()
    redraw_viewports(bpy.context)


def leave_to(engine: str) -> None:
    """Draw nothing in viewports that an engine shades: it draws splats itself."""
    if _active.viewport is not None:
        _active.viewport.left_to.add(engine)


def painter() -> Painter | None:
    """Return what draws in this session, None where nothing is drawn."""
    return None if _active.viewport is None else _active.viewport.ready_painter()


def problem() -> str:
    """Return why splats cannot be drawn, "" where they can."""
    return _active.problem


def due_regions() -> set[int]:
    """Return the addresses of regions of which another redraw would show more now."""
    return set() if _active.viewport is None else _active.viewport.due()


def is_complete() -> bool:
    """Return whether every viewport shows all it has to show, and no redraw is waited for."""
    return _active.viewport is None or not _active.viewport.waits


def _draw() -> None:
    """Draw into the region that Blender redraws."""
    if _active.viewport is None:
        return
    try:
        _active.viewport.draw(bpy.context)
    except CgcError as error:
        _give_up(str(error))
    except Exception as error:
        _give_up(f"Splats cannot be drawn ({type(error).__name__}: {error}); please report this.")
        raise
    if _active.viewport is None:
        return
    if _active.viewport.waits and not bpy.app.timers.is_registered(_look_again):
        bpy.app.timers.register(_look_again, first_interval=LOOK_AGAIN_SECONDS)


def _give_up(reason: str) -> None:
    """Draw no more: Blender would call again with every redraw."""
    _stop()
    _active.problem = reason
    # Nothing in the file may be changed while Blender draws.
    bpy.app.timers.register(_leave_to_blender)


def _leave_to_blender() -> None:
    """Show points where nothing else can be shown."""
    set_drawing(False)


def _look_again() -> float | None:
    """Redraw what would show more, until nothing would."""
    if _active.viewport is None:
        return None
    regions = {region.as_pointer(): region for region in _regions()}
    _active.viewport.keep_only(regions)
    for address in due_regions():
        regions[address].tag_redraw()
    return LOOK_AGAIN_SECONDS if _active.viewport.waits else None


def _regions() -> Iterator[Region]:
    for area in areas_of(bpy.context, "VIEW_3D"):
        for region in area.regions:
            if region.type == "WINDOW":
                yield region


@persistent
def _before_load(*_: object) -> None:
    if _active.viewport is not None:
        _active.viewport.close()


def _stop() -> None:
    if _active.handle is not None:
        with suppress(ValueError):  # Blender has removed it by itself
            bpy.types.SpaceView3D.draw_handler_remove(_active.handle, "WINDOW")
    if bpy.app.timers.is_registered(_look_again):
        bpy.app.timers.unregister(_look_again)
    if _active.viewport is not None:
        _active.viewport.close()
    _active.handle, _active.viewport = None, None
