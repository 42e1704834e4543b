# SPDX-License-Identifier: GPL-3.0-or-later
"""The segment under the mouse: named in the header of the tool, set off in the viewport.

It is set off together with the mouse's pointer, for which Blender redraws nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

import bpy
import numpy as np
from bpy.app.handlers import persistent
from numpy.typing import NDArray

from ..common.access import of_collection
from ..common.context import members_of, preferences_of, region_of, view_layer_of
from ..drawing.click_select import splat_at
from ..drawing.graphics import new_texture
from ..drawing.highlight import Highlighter
from ..drawing.surfaces import Surfaces
from ..drawing.watch import shown_scene
from ..segments.data import collection_of, count_of, splats_of

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems
    from bpy.types import Context, Event, Object, Region, SpaceView3D
    from gpu.types import GPUTexture

    from ..drawing.seen import Seen

LOOK_AGAIN_SECONDS = 0.05
TINT = 0.12
LINE = 1.5
"""px, before the scale of the user interface."""


@dataclass
class _Hover:
    """What is under the mouse; there is one mouse."""

    region: int = 0
    """Address of the region that the mouse is in."""
    owners: frozenset[int] = frozenset()
    """`session_uid` of the objects that are set off."""
    text: str = ""
    surfaces: Surfaces = field(default_factory=Surfaces)
    highlighter: Highlighter | None = None
    mask: tuple[Seen, frozenset[int], GPUTexture] | None = None
    paused: bool = False
    """While something is drawn."""


_hover = _Hover()


def hovered_text() -> str:
    """Return what is under the mouse, "" for nothing."""
    return _hover.text


def surfaces() -> Surfaces:
    """Return what regions show."""
    return _hover.surfaces


def pause(on: bool) -> None:
    """Set nothing off for a while."""
    _hover.paused = on


def highlighter() -> Highlighter:
    """Return what sets parts of a region off, made when there is a graphics context."""
    if _hover.highlighter is None:
        _hover.highlighter = Highlighter()
    return _hover.highlighter


def describe(item: Object) -> tuple[frozenset[int], str]:
    """Return the objects of the segment that a splat is in, and its name and size."""
    collection = collection_of(item)
    if collection is None:
        return frozenset({item.session_uid}), item.name
    pinned = ", pinned" if of_collection(collection).pinned else ""
    owners = frozenset(one.session_uid for one in splats_of(collection))
    return owners, f"{collection.name}: {count_of(collection):,} Gaussians{pinned}"


def draw_hovered(context: Context) -> None:
    """Set off what is under the mouse, in the region that the pointer is drawn in."""
    region = region_of(context)
    if _hover.paused or _hover.region != region.as_pointer() or not _hover.owners:
        return
    seen = _hover.surfaces.newest(context)
    if seen is None:
        return
    if _hover.mask is None or _hover.mask[:2] != (seen, _hover.owners):
        space = cast("SpaceView3D", members_of(context).space_data)
        depsgraph = view_layer_of(context).depsgraph
        assert depsgraph is not None
        owners = shown_scene().owners(depsgraph, space)
        numbers = [number for number, owner in enumerate(owners) if owner in _hover.owners]
        inside = _smoothed(np.isin(seen.appearances, numbers).astype(np.float32))
        height, width = inside.shape
        _hover.mask = (seen, _hover.owners, new_texture((width, height), "R32F", inside))
    set_off(context, _hover.mask[2], seen.cell, TINT)


def set_off(context: Context, mask: GPUTexture, cell: float, tint: float) -> None:
    """Set a part of the region off that a pointer is drawn in.

    Args:
        context: of the region.
        mask: 1 inside, a texel for each cell.
        cell: px.
        tint: 0..1.
    """
    region, preferences = region_of(context), preferences_of(context)
    color = preferences.themes[0].view_3d.object_active
    highlighter().draw(
        mask,
        (color.r, color.g, color.b),
        (region.x, region.y, region.width, region.height),
        cell,
        LINE * preferences.system.pixel_size,
        tint,
    )


class CGC_OT_hover(bpy.types.Operator):  # noqa: N801 - Blender's convention
    """`cgc.hover`: called with every move of the mouse while a tool of ours is active."""

    bl_idname = "cgc.hover"
    bl_label = "Hover Over Segment"
    bl_description = "Show which segment is under the mouse"
    bl_options = {"INTERNAL"}  # noqa: RUF012 - Blender's convention

    @classmethod
    def poll(cls, context: Context) -> bool:
        """Want a 3D viewport in object mode."""
        return context.mode == "OBJECT" and members_of(context).region_data is not None

    def invoke(self, context: Context, event: Event) -> set[OperatorReturnItems]:
        """Find out, and leave the move to others."""
        if _hover.paused:
            return {"PASS_THROUGH"}
        place = (event.mouse_region_x + 0.5, event.mouse_region_y + 0.5)
        item = splat_at(context, *place, splats_only=True)
        owners, text = describe(item) if item is not None else (frozenset[int](), "")
        region = region_of(context)
        _hover.region = region.as_pointer()
        if owners:
            _hover.surfaces.ask(context)
            if _hover.surfaces.busy and not bpy.app.timers.is_registered(_look_again):
                bpy.app.timers.register(_look_again, first_interval=LOOK_AGAIN_SECONDS)
        if (owners, text) != (_hover.owners, _hover.text):
            _hover.owners, _hover.text = owners, text
            _redraw_header(context)
        return {"PASS_THROUGH"}


def _smoothed(mask: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a mask (H, W) whose edges do not show the cells so much."""
    padded = np.pad(mask, 1, mode="edge")
    across = padded[:, :-2] + 2.0 * padded[:, 1:-1] + padded[:, 2:]
    return (across[:-2] + 2.0 * across[1:-1] + across[2:]) / np.float32(16.0)


def _look_again() -> float | None:
    """Draw the region again once it is known what it shows, as the mouse may rest by then."""
    if _hover.surfaces.busy:
        return LOOK_AGAIN_SECONDS
    for region in _regions():
        if region.as_pointer() == _hover.region:
            region.tag_redraw()
    return None


def _regions() -> list[Region]:
    manager = members_of(bpy.context).window_manager
    windows = manager.windows if manager is not None else ()
    areas = [area for window in windows for area in window.screen.areas]
    return [region for area in areas for region in area.regions]


def _redraw_header(context: Context) -> None:
    area = members_of(context).area
    for region in area.regions if area is not None else ():
        if region.type == "TOOL_HEADER":
            region.tag_redraw()


@persistent
def _before_load(*_arguments: object) -> None:
    _forget()


def _forget() -> None:
    """Let go of everything, as what was there is no more."""
    if bpy.app.timers.is_registered(_look_again):
        bpy.app.timers.unregister(_look_again)
    _hover.surfaces.close()
    _hover.surfaces, _hover.mask = Surfaces(), None
    _hover.owners, _hover.text, _hover.paused = frozenset(), "", False


def register() -> None:
    """Add the operator."""
    bpy.utils.register_class(CGC_OT_hover)
    bpy.app.handlers.load_pre.append(_before_load)


def unregister() -> None:
    """Take it away again, and free the graphics card."""
    bpy.app.handlers.load_pre.remove(_before_load)
    _forget()
    _hover.highlighter = None
    bpy.utils.unregister_class(CGC_OT_hover)
