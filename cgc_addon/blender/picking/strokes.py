# SPDX-License-Identifier: GPL-3.0-or-later
"""What operators have in common that take the Gaussians in a shape drawn over the viewport.

What they would take shows as dots while the mouse draws. They are drawn with the mouse's pointer,
for which Blender redraws nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import bpy
import numpy as np
from bpy.props import BoolProperty, CollectionProperty, EnumProperty
from numpy.typing import NDArray

from ...errors import CgcError
from ..common.access import of_scene
from ..common.choices import STROKE_MODES
from ..common.context import members_of, region_of, scene_of, window_manager_of
from ..drawing.shown import Viewpoint
from . import hover
from .looking import Looking
from .membership import capture_to_change, keep_seen, put, seen_from, spread_out
from .stroke_drawing import StrokeDrawing

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems
    from bpy.types import Collection, Context, Event, OperatorMousePath, bpy_prop_collection

Places = NDArray[np.float64]


class Stroke(Looking):
    """Takes a path from the mouse, or from whoever calls it, and moves what lies in it."""

    if TYPE_CHECKING:
        mode: str
        through: bool
        path: bpy_prop_collection[OperatorMousePath]
    else:
        mode: EnumProperty(
            name="Mode",
            description="What becomes of the Gaussians",
            items=STROKE_MODES,
            default="ADD",
            options={"SKIP_SAVE"},
        )
        through: BoolProperty(
            name="Through",
            description="Take also Gaussians that others hide",
            options={"SKIP_SAVE"},
        )
        path: CollectionProperty(
            name="Path",
            description="Where the mouse was, px from the left and the lower edge",
            type=bpy.types.OperatorMousePath,
            options={"SKIP_SAVE", "HIDDEN"},
        )

    def shape(self, places: Places, path: Places) -> NDArray[np.bool_]:
        """Return which of places (N, 2) lie in the shape of a path (P, 2), px."""
        raise NotImplementedError

    def line(self, path: Places) -> Places:
        """Return the line (L, 2) that is drawn while the mouse draws a path (P, 2), px."""
        return path

    def invoke(self, context: Context, event: Event) -> set[OperatorReturnItems]:
        """Begin to draw."""
        self.refusal = "WARNING"
        settings = of_scene(scene_of(context))
        if not self.properties.is_property_set("mode"):
            self.mode = settings.stroke_mode
        if not self.properties.is_property_set("through"):
            self.through = settings.stroke_through
        self.take_settings(context)
        self.look_from(context)
        try:
            viewpoint = self.viewpoint(context)
            capture = capture_to_change(context, self.mode)
            self._begin(context, capture, viewpoint)
        except CgcError as error:
            self.report({self.refusal}, str(error))
            return {"CANCELLED"}
        self._add(context, event)
        window_manager_of(context).modal_handler_add(cast("Any", self))
        return {"RUNNING_MODAL"}

    def take_settings(self, context: Context) -> None:
        """Take what else the tool is set to."""

    def modal(self, context: Context, event: Event) -> set[OperatorReturnItems]:
        """Follow the mouse."""
        if event.type in {"RIGHTMOUSE", "ESC"}:
            self._end(context)
            return {"CANCELLED"}
        if event.type == "LEFTMOUSE" and event.value == "RELEASE":
            self._add(context, event)
            self._end(context)
            return self.execute(context)
        if event.type in {"MOUSEMOVE", "INBETWEEN_MOUSEMOVE"}:
            self._add(context, event)
            return {"PASS_THROUGH"}  # else the pointer is not drawn anew
        return {"RUNNING_MODAL"}

    def cancel(self, context: Context) -> None:
        """End when Blender itself ends it, as when another file is opened."""
        self._end(context)

    def change(self, context: Context) -> str:
        """Move what lies in the shape."""
        viewpoint = self.viewpoint(context)
        capture = capture_to_change(context, self.mode)
        spread = spread_out(context, capture, viewpoint)
        inside = self.shape(spread.places, self.places())
        seen = None
        if not self.through and inside.any():
            seen = seen_from(context, viewpoint, hover.surfaces())
            inside &= spread.visible(seen)
        filled, count = put(context, capture, spread.chosen(inside), self.mode)
        if seen is not None:
            keep_seen(context, viewpoint, hover.surfaces(), seen)
        return f"{count:,} Gaussians are in {filled.name} now"

    def places(self) -> Places:
        """Return the path as an array (P, 2), px."""
        return np.array([point.loc[:] for point in self.path], np.float64).reshape(-1, 2)

    def _begin(self, context: Context, capture: Collection, viewpoint: Viewpoint) -> None:
        spread = spread_out(context, capture, viewpoint)
        taken = np.ones(len(spread.places), bool)
        if not self.through:
            taken = spread.visible(seen_from(context, viewpoint, hover.surfaces()))
        self._available = spread.places[taken]
        self._drawing = StrokeDrawing(region_of(context).as_pointer())
        self._drawing.begin()
        hover.pause(True)

    def _add(self, context: Context, event: Event) -> None:
        point, region = cast("Any", self.path).add(), region_of(context)
        if event.value == "CLICK_DRAG":  # it began where the button went down
            x, y = event.mouse_prev_press_x - region.x, event.mouse_prev_press_y - region.y
        else:
            x, y = event.mouse_region_x, event.mouse_region_y
        point.loc = (x + 0.5, y + 0.5)
        path = self.places()
        inside = self.shape(self._available, path)
        self._drawing.dots, self._drawing.line = self._available[inside], self.line(path)

    def _end(self, context: Context) -> None:
        self._drawing.end()
        hover.pause(False)
        region = members_of(context).region
        if region is not None:
            region.tag_redraw()
