# SPDX-License-Identifier: GPL-3.0-or-later
"""A stroke while it is drawn: its line, and a dot for each Gaussian that it would take."""

from __future__ import annotations

from typing import Any, cast

import bpy
import gpu
import numpy as np
from gpu_extras.batch import batch_for_shader
from numpy.typing import NDArray

from ..common.context import members_of, preferences_of, region_of

DOT = 4.0
"""px, as the line's width before the scale of the user interface."""
LINE = 1.5
MOST_DOTS = 50_000
"""More would only cover the picture."""


class StrokeDrawing:
    """Draws with the mouse's pointer, from `begin` to `end`."""

    def __init__(self, region: int) -> None:
        """Draw nothing yet.

        Args:
            region: address of the region that is drawn in.
        """
        nothing = np.zeros((0, 2))
        self.dots: NDArray[np.float64] = nothing
        """(D, 2) px in the region."""
        self.line: NDArray[np.float64] = nothing
        """(L, 2) px in the region."""
        self._region = region
        self._handle: Any = None

    def begin(self) -> None:
        """Draw from now on."""
        self._handle = bpy.types.WindowManager.draw_cursor_add(self._draw, (), "VIEW_3D", "WINDOW")

    def end(self) -> None:
        """Draw no more."""
        if self._handle is not None:
            bpy.types.WindowManager.draw_cursor_remove(self._handle)
            self._handle = None

    def _draw(self, _place: tuple[int, int]) -> None:
        context = bpy.context
        region = members_of(context).region
        if region is None or region.as_pointer() != self._region:
            return
        preferences = preferences_of(context)
        color = preferences.themes[0].view_3d.object_active
        scale = preferences.system.pixel_size
        draw_points(self.dots[:MOST_DOTS], (color.r, color.g, color.b, 1.0), DOT * scale)
        draw_line(self.line, (1.0, 1.0, 1.0, 0.9), LINE * scale)


def circle(middle: NDArray[np.float64], radius: float) -> NDArray[np.float64]:
    """Return a circle as a closed line (L, 2), px."""
    angles = np.linspace(0.0, 2.0 * np.pi, 49)
    return middle + radius * np.column_stack([np.cos(angles), np.sin(angles)])


def draw_line(
    line: NDArray[np.float64], color: tuple[float, float, float, float], width: float
) -> None:
    """Draw a line (L, 2), px in the region that a pointer is drawn in."""
    if len(line) < 2:
        return
    size = cast("tuple[int, int, int, int]", gpu.state.viewport_get())[2:]
    shader = gpu.shader.from_builtin("POLYLINE_UNIFORM_COLOR")
    shader.bind()
    shader.uniform_float("viewportSize", size)
    shader.uniform_float("lineWidth", width)
    _draw(shader, "LINE_STRIP", line, color)


def draw_points(
    points: NDArray[np.float64], color: tuple[float, float, float, float], size: float
) -> None:
    """Draw dots (D, 2), px in the region that a pointer is drawn in."""
    if not len(points):
        return
    shader = gpu.shader.from_builtin("POINT_UNIFORM_COLOR")
    shader.bind()
    gpu.state.point_size_set(size)
    _draw(shader, "POINTS", points, color)
    gpu.state.point_size_set(1.0)


def _draw(
    shader: Any,
    kind: str,
    places: NDArray[np.float64],
    color: tuple[float, float, float, float],
) -> None:
    region = region_of(bpy.context)
    moved = np.column_stack([places + np.array([region.x, region.y]), np.zeros(len(places))])
    content: Any = {"pos": moved.astype(np.float32)}
    batch: Any = batch_for_shader(shader, kind, content)
    shader.uniform_float("color", color)
    gpu.state.blend_set("ALPHA")
    batch.draw(shader)
    gpu.state.blend_set("NONE")
