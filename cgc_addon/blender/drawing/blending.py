# SPDX-License-Identifier: GPL-3.0-or-later
"""Second pass on the graphics card: ellipses blended over each other, the farthest first.

Into a picture of its own, premultiplied, in display colours: those are what training blends, and a
viewport's own picture would blend as light does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import gpu
import numpy as np

from ...rasterize.rules import ALPHA_LIMIT, ALPHA_MINIMUM
from .graphics import bind, new_batch, new_interface, new_shader_info, with_numbers
from .textures import AT

if TYPE_CHECKING:
    from gpu.types import GPUBatch, GPUShader, GPUTexture

    from .projection import Ellipses

AT_ONCE = 256
"""Quads in one instance; graphics cards are slow with instances of a few vertices."""


class Blending:
    """The shaders and the quads they draw."""

    def __init__(self) -> None:
        """Upload; needs a graphics context."""
        self._shaders: dict[tuple[bool, bool], GPUShader] = {}
        self._quads = _quads()

    def blend(
        self,
        ellipses: Ellipses,
        size: tuple[int, int],
        first: int,
        count: int,
        nearest: GPUTexture | None,
        *,
        marked: bool = False,
    ) -> None:
        """Draw some ellipses into the framebuffer that is bound.

        Args:
            ellipses: back to front.
            size: width and height of the picture they were projected for, px.
            first: ellipse to begin with.
            count: how many.
            nearest: depths of what hides them, at any size; 1 where nothing is. None is as good as
                1 everywhere, and faster.
            marked: also draw into a second picture: red counts what is selected, green the active,
                blue is nearness.
        """
        shader = self._shader(marked, nearest is not None)
        gpu.state.blend_set("ALPHA_PREMULT")
        samplers = {
            "places": ellipses.places,
            "axes": ellipses.axes,
            "colors": ellipses.colors,
        }
        if nearest is not None:
            samplers["nearest"] = nearest
        end = min(first + count, ellipses.count)
        bind(shader, samplers, {"size": size, "first": first, "end": end})
        instances = -(-(end - first) // AT_ONCE)
        if instances > 0:
            self._quads.draw_instanced(shader, instance_start=0, instance_count=instances)
        gpu.state.blend_set("NONE")

    def _shader(self, marked: bool, hidden: bool) -> GPUShader:
        """Return a shader, compiled when it is needed first."""
        key = marked, hidden
        if key not in self._shaders:
            self._shaders[key] = _shader(marked, hidden)
        return self._shaders[key]


def _quads() -> GPUBatch:
    """Return `AT_ONCE` squares: corner x and y, number of the square."""
    corners = np.zeros((AT_ONCE, 4, 3), dtype=np.float32)
    corners[..., :2] = [[-1, -1], [1, -1], [1, 1], [-1, 1]]
    corners[..., 2] = np.arange(AT_ONCE)[:, None]
    triangles = 4 * np.arange(AT_ONCE)[:, None, None] + [[0, 1, 2], [0, 2, 3]]
    return new_batch("corner", corners.reshape(-1, 3), triangles.reshape(-1, 3))


def _shader(marked: bool, hidden: bool) -> GPUShader:
    between = new_interface(f"cgc_ellipse{'_marked' * marked}{'_hidden' * hidden}")
    between.smooth("VEC2", "deviations")
    between.flat("VEC4", "color_and_opacity")
    between.flat("VEC3", "depth_mark_nearness")
    info = new_shader_info(
        ("places", "axes", "colors", *(("nearest",) if hidden else ())),
        {"size": "VEC2", "first": "INT", "end": "INT"},
        ("picture", "marks") if marked else ("picture",),
    )
    info.vertex_in(0, "VEC3", "corner")
    info.vertex_out(between)
    numbers = {"AT_ONCE": AT_ONCE, "ALPHA_LIMIT": ALPHA_LIMIT, "ALPHA_MINIMUM": ALPHA_MINIMUM}
    info.vertex_source(AT + with_numbers(_VERTEX, numbers))
    fragment = _FRAGMENT.replace("MARKS", _MARKS if marked else "")
    fragment = fragment.replace("HIDDEN", _HIDDEN if hidden else "")
    info.fragment_source(with_numbers(fragment, numbers))
    return gpu.shader.create_from_info(info)


_VERTEX = """
void main()
{
  int item = first + gl_InstanceID * AT_ONCE + int(corner.z);
  gl_Position = vec4(2.0, 2.0, 2.0, 1.0); /* Outside: not drawn. */
  deviations = vec2(0.0);
  depth_mark_nearness = vec3(0.0);
  color_and_opacity = vec4(0.0);
  if (item >= end) {
    return;
  }
  vec4 axis = texelFetch(axes, at(item), 0);
  if (axis.w < ALPHA_MINIMUM) {
    return;
  }
  vec4 place = texelFetch(places, at(item), 0);
  /* There alpha has fallen to the least that counts. */
  deviations = corner.xy * sqrt(2.0 * log(axis.w / ALPHA_MINIMUM));
  vec2 across = vec2(-axis.y, axis.x) * (axis.z / length(axis.xy));
  vec2 pixel = place.xy + deviations.x * axis.xy + deviations.y * across;
  gl_Position = vec4(pixel / size * 2.0 - 1.0, 0.0, 1.0);
  vec4 color = texelFetch(colors, at(item), 0);
  color_and_opacity = vec4(color.rgb, axis.w);
  depth_mark_nearness = vec3(place.zw, color.a);
}
"""
_FRAGMENT = """
void main()
{
  float alpha = min(color_and_opacity.a * exp(-0.5 * dot(deviations, deviations)), ALPHA_LIMIT);
  if (alpha < ALPHA_MINIMUM) {
    discard;
  }
  HIDDEN
  picture = vec4(color_and_opacity.rgb * alpha, alpha);
  MARKS
}
"""
_HIDDEN = """
  vec2 part = gl_FragCoord.xy / size * vec2(textureSize(nearest, 0));
  if (depth_mark_nearness.x > texelFetch(nearest, ivec2(part), 0).x) {
    discard;
  }
"""
_MARKS = """
  float mark = depth_mark_nearness.y;
  marks = vec4(float(mark > 0.5), float(mark > 1.5), depth_mark_nearness.z, 1.0) * alpha;
"""
