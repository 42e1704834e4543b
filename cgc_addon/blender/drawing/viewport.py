# SPDX-License-Identifier: GPL-3.0-or-later
"""Splats in the regions of all windows: what each has to show, read from Blender at its redraw."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np

from ..common.access import of_scene
from ..common.context import members_of, preferences_of, region_of, scene_of, view_layer_of
from .compositing import Outline
from .graphics import framebuffer_in_use, in_software, new_texture
from .ordering import depth_range
from .pace import FRAME_SECONDS, SOFTWARE_FRAME_SECONDS
from .picture import Painter, Style
from .projection import depth_of_nearness
from .region import Occluders, RegionDrawing, Wanted
from .shown import Appearance, Viewpoint, viewpoint_of
from .surroundings import Surroundings, nearest_depths, read_surroundings
from .watch import shown_scene

if TYPE_CHECKING:
    from bpy.types import Context, SpaceView3D
    from gpu.types import GPUTexture
    from mathutils import Color

UNSTEADY = 0.002
"""Part of a region whose depths may differ from redraw to redraw though nothing has changed: to
smooth, Blender moves its picture a little."""


@dataclass
class _Region:
    """What is kept of one region from redraw to redraw."""

    drawing: RegionDrawing
    around: Surroundings | None = None
    """When the full picture was begun."""
    background: tuple[float, float, float] | None = None
    """When the view rested last."""
    nearest: GPUTexture | None = None
    appearances: tuple[Appearance, ...] = ()
    view: bytes = b""
    version: int = 0
    """Number of `around`."""


class ViewportDrawing:
    """Draws splats into whatever region Blender is redrawing."""

    def __init__(self) -> None:
        """Hold nothing yet: there may be no graphics context."""
        self.left_to: set[str] = set()
        """Engines that draw splats themselves where they shade a viewport."""
        self.painter: Painter | None = None
        self._regions: dict[int, _Region] = {}

    def draw(self, context: Context) -> None:
        """Draw into the region of a context, over what is in the framebuffer that is bound."""
        region, view = region_of(context), members_of(context).region_data
        if view is None:
            return
        space = cast("SpaceView3D", members_of(context).space_data)
        address = region.as_pointer()
        if context.engine in self.left_to and space.shading.type == "RENDERED":
            self._forget(address)
            return
        depsgraph = view_layer_of(context).depsgraph
        if depsgraph is None:  # nothing has been evaluated yet
            return
        appearances = shown_scene().appearances(depsgraph, space)
        if not appearances:
            self._forget(address)
            return
        painter = self.ready_painter()
        state = self._regions.setdefault(address, _Region(new_drawing()))
        framebuffer, area = framebuffer_in_use()
        viewpoint = viewpoint_of(view, area[2], area[3])
        empty_is_known = space.shading.type in {"SOLID", "WIREFRAME"}
        around: Surroundings | None = None

        def look_around() -> Occluders:
            nonlocal around
            around = read_surroundings(framebuffer, area)
            state.background = around.background if empty_is_known else None
            return self._notice(state, around, appearances, viewpoint)

        style = _style(context, space, appearances, viewpoint)
        wanted = Wanted(appearances, viewpoint, style)
        picture = state.drawing.advance(painter, wanted, look_around)
        if picture is None:
            return
        if state.drawing.fine:
            assert around is not None  # only at rest anything is fine
            painter.compositor.lay_over(
                picture.colors,
                picture.marks,
                around,
                _outline(context),
                area,
                empty_is_known=empty_is_known,
            )
        else:
            assert picture.marks is not None  # every rough picture has them
            painter.depth_compositor.lay_over(
                picture.colors,
                picture.marks,
                depth_of_nearness(viewpoint),
                state.background,
                _outline(context) if style.marked else None,
                area,
            )

    def ready_painter(self) -> Painter:
        """Return what draws, made at the first redraw: only then is there a graphics context."""
        if self.painter is None:
            self.painter = Painter()
        return self.painter

    def due(self) -> set[int]:
        """Return the addresses of regions of which another redraw would show more now."""
        return {address for address, state in self._regions.items() if state.drawing.due()}

    @property
    def waits(self) -> bool:
        """Whether any region is not yet as it will be."""
        return any(state.drawing.waits for state in self._regions.values())

    def keep_only(self, addresses: Collection[int]) -> None:
        """Forget regions that are no more."""
        for address in set(self._regions) - set(addresses):
            self._forget(address)

    def close(self) -> None:
        """Free everything."""
        self.keep_only(())
        self.painter = None

    def _notice(
        self,
        state: _Region,
        around: Surroundings,
        appearances: tuple[Appearance, ...],
        viewpoint: Viewpoint,
    ) -> Occluders:
        """Decide whether what is around the splats has changed since their picture was begun."""
        view = viewpoint.world_to_view.tobytes() + viewpoint.projection.tobytes()
        still = appearances == state.appearances and view == state.view
        state.appearances, state.view = appearances, view
        before = state.around
        if before is not None and before.depths.shape == around.depths.shape:
            differing = np.count_nonzero(before.depths != around.depths)
            if differing <= (UNSTEADY * around.depths.size if still else 0):
                assert state.nearest is not None
                return Occluders(state.nearest, state.version)
        depths = nearest_depths(around)
        height, width = depths.shape
        state.around, state.nearest = around, new_texture((width, height), "R32F", depths)
        state.version += 1
        return Occluders(state.nearest, state.version)

    def _forget(self, address: int) -> None:
        state = self._regions.pop(address, None)
        if state is not None:
            state.drawing.close()
        if not self._regions and self.painter is not None:
            self.painter.forget()


def new_drawing() -> RegionDrawing:
    """Return what draws one region, at a pace that becomes this computer."""
    return RegionDrawing(frame_seconds=SOFTWARE_FRAME_SECONDS if in_software() else FRAME_SECONDS)


def _style(
    context: Context,
    space: SpaceView3D,
    appearances: tuple[Appearance, ...],
    viewpoint: Viewpoint,
) -> Style:
    settings = of_scene(scene_of(context))
    mode = settings.look_color
    outlined = space.overlay.show_overlays and space.overlay.show_outline_selected
    return Style(
        mode,
        settings.look_size,
        depth_range(appearances, viewpoint) if mode == "DEPTH" else (1.0, 2.0),
        outlined and any(item.selected or item.active for item in appearances),
    )


def _outline(context: Context) -> Outline:
    """Return the outline as the theme has it."""
    preferences = preferences_of(context)
    theme = preferences.themes[0].view_3d
    return Outline(
        _rgb(theme.object_selected), _rgb(theme.object_active), preferences.system.pixel_size
    )


def _rgb(color: Color) -> tuple[float, float, float]:
    return color.r, color.g, color.b
