# SPDX-License-Identifier: GPL-3.0-or-later
"""A viewport that is shaded by this engine: the splats over the world, as a render shows them.

Drawn by the graphics card and not by the worker, but composed like a render and left to the view
transform.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import gpu
import numpy as np

from ...srgb import srgb_from_linear
from ..common.access import of_scene
from ..common.context import members_of
from ..drawing import handler
from ..drawing.graphics import (
    bind,
    framebuffer_in_use,
    new_shader_info,
    shader_over_all,
    triangle_over_all,
)
from ..drawing.picture import Style
from ..drawing.region import Occluders, Wanted
from ..drawing.shown import viewpoint_of
from ..drawing.srgb_glsl import SRGB
from ..drawing.viewport import new_drawing
from ..drawing.watch import shown_scene
from .world_color import scene_primaries, world_color

if TYPE_CHECKING:
    from bpy.types import Context, Depsgraph, Scene, SpaceView3D
    from gpu.types import GPUTexture


class RenderedViewport:
    """What is kept of a viewport from redraw to redraw."""

    def __init__(self) -> None:
        """Compile; needs a graphics context."""
        self._drawing = new_drawing()
        names = ("world", "red", "green", "blue")
        info = new_shader_info(("picture",), dict.fromkeys(names, "VEC4"), ("color",))
        self._shader = shader_over_all(info, SRGB + _FRAGMENT)
        self._everywhere = triangle_over_all()

    def draw(self, context: Context, depsgraph: Depsgraph) -> bool:
        """Draw into the framebuffer that is bound, and return whether more is to come."""
        view = members_of(context).region_data
        space = cast("SpaceView3D", members_of(context).space_data)
        painter = handler.painter()
        appearances = shown_scene().appearances(depsgraph, space)
        if painter is None or view is None or not appearances:
            draw_ground(depsgraph)
            return False
        scene = cast("Scene", depsgraph.scene_eval)
        _, area = framebuffer_in_use()
        wanted = Wanted(
            appearances,
            viewpoint_of(view, area[2], area[3]),
            Style(size=of_scene(scene).look_size),
        )
        picture = self._drawing.advance(painter, wanted, Occluders)
        if picture is None:
            draw_ground(depsgraph)
        else:
            self._compose(picture.colors, scene, area)
        return self._drawing.waits

    def close(self) -> None:
        """Free what is held."""
        self._drawing.close()

    def _compose(self, picture: GPUTexture, scene: Scene, area: tuple[int, int, int, int]) -> None:
        """Write the picture over the world, scene-linear."""
        ground, alpha = _ground(scene)
        primaries = np.pad(scene_primaries(), ((0, 0), (0, 1)))
        in_rec709 = np.linalg.solve(primaries[:, :3], ground)
        constants = {
            "world": (*srgb_from_linear(in_rec709).tolist(), alpha),
            "red": tuple(primaries[0].tolist()),
            "green": tuple(primaries[1].tolist()),
            "blue": (*primaries[2, :3].tolist(), float(picture.width) / area[2]),
        }
        gpu.state.blend_set("NONE")
        gpu.state.depth_test_set("NONE")
        bind(self._shader, {"picture": picture}, constants)
        self._everywhere.draw(self._shader)


def draw_ground(depsgraph: Depsgraph) -> None:
    """Fill the viewport with the world's colour; with transparent film, leave it empty."""
    color, alpha = _ground(cast("Scene", depsgraph.scene_eval))
    framebuffer, _ = framebuffer_in_use()
    framebuffer.clear(color=(*color, alpha))


def _ground(scene: Scene) -> tuple[tuple[float, float, float], float]:
    """Return what is behind splats: linear colour, and 1, or nothing, and 0."""
    if scene.render.film_transparent:
        return (0.0, 0.0, 0.0), 0.0
    return world_color(scene.world)[0], 1.0


_FRAGMENT = """
vec3 in_scene(vec3 srgb)
{
  vec3 linear = linear_from_srgb(srgb);
  return vec3(dot(red.rgb, linear), dot(green.rgb, linear), dot(blue.rgb, linear));
}

void main()
{
  /* blue.a: the picture's width in widths of the region; while the view moves, it is smaller. */
  ivec2 last = textureSize(picture, 0) - 1;
  vec4 splats = texelFetch(picture, min(ivec2(gl_FragCoord.xy * blue.a), last), 0);
  if (world.a > 0.0) {
    color = vec4(in_scene(splats.rgb + (1.0 - splats.a) * world.rgb), 1.0);
  }
  else {
    color = vec4(in_scene(splats.rgb / max(splats.a, 1e-6)) * splats.a, splats.a);
  }
}
"""
