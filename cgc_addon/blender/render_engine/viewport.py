# SPDX-License-Identifier: GPL-3.0-or-later
"""The ground of a viewport that is shaded by this engine; over it the splats are drawn as ever."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import gpu

from .world_color import world_color

if TYPE_CHECKING:
    from bpy.types import Depsgraph, Scene


def draw_ground(depsgraph: Depsgraph) -> None:
    """Fill the viewport with the world's colour; with transparent film, leave it empty."""
    scene = cast("Scene", depsgraph.scene_eval)
    color, alpha = (0.0, 0.0, 0.0), 0.0
    if not scene.render.film_transparent:
        (color, _whole), alpha = world_color(scene.world), 1.0
    buffer = gpu.state.active_framebuffer_get()  # pyright: ignore[reportCallIssue] - takes nothing
    buffer.clear(color=(*color, alpha))
