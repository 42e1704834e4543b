# SPDX-License-Identifier: GPL-3.0-or-later
"""A part of a region set off by a tint and a line around it, over whatever is there."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import gpu

from .graphics import bind, new_shader_info, shader_over_all, triangle_over_all

if TYPE_CHECKING:
    from gpu.types import GPUShader, GPUTexture

Color = tuple[float, float, float]


class Highlighter:
    """The shader and its screen-filling triangle."""

    def __init__(self) -> None:
        """Compile; needs a graphics context."""
        self._shader = _shader()
        self._everywhere = triangle_over_all()

    def draw(
        self,
        mask: GPUTexture,
        color: Color,
        area: tuple[int, int, int, int],
        cell: float,
        width: float,
        tint: float,
    ) -> None:
        """Draw into the framebuffer that is bound.

        Args:
            mask: 1 inside and 0 outside, the lowest row first; one texel for each cell.
            color: sRGB.
            area: x, y, width and height in the framebuffer, px.
            cell: width of a cell, px.
            width: of the line, px.
            tint: how much of the colour lies over what is inside, 0..1.
        """
        before = cast("tuple[int, int, int, int]", gpu.state.viewport_get())
        gpu.state.viewport_set(*area)
        gpu.state.blend_set("ALPHA")
        constants = {"origin": area[:2], "shape": (cell, width, tint), "line": color}
        bind(self._shader, {"mask": mask}, constants)
        self._everywhere.draw(self._shader)
        gpu.state.blend_set("NONE")
        gpu.state.viewport_set(*before)


def _shader() -> GPUShader:
    constants = {"origin": "VEC2", "shape": "VEC3", "line": "VEC3"}
    info = new_shader_info(("mask",), constants, ("color",))
    return shader_over_all(info, _FRAGMENT)


_FRAGMENT = """
/* Linear interpolation by hand: not every Blender lets a script ask for it. */
float inside(vec2 pixel)
{
  vec2 place = pixel / shape.x - 0.5, corner = floor(place), share = place - corner;
  ivec2 last = textureSize(mask, 0) - 1, low = clamp(ivec2(corner), ivec2(0), last);
  ivec2 high = clamp(ivec2(corner) + 1, ivec2(0), last);
  return mix(mix(texelFetch(mask, low, 0).x, texelFetch(mask, ivec2(high.x, low.y), 0).x, share.x),
             mix(texelFetch(mask, ivec2(low.x, high.y), 0).x, texelFetch(mask, high, 0).x, share.x),
             share.y);
}

void main()
{
  vec2 pixel = gl_FragCoord.xy - origin;
  float here = smoothstep(0.4, 0.6, inside(pixel)), most = here, least = here;
  for (int turn = 0; turn < 8; turn++) {
    float angle = 0.7853981633974483 * float(turn);
    vec2 around = shape.y * vec2(cos(angle), sin(angle));
    float there = smoothstep(0.4, 0.6, inside(pixel + around));
    most = max(most, there);
    least = min(least, there);
  }
  color = vec4(line, max(most - least, here * shape.z));
}
"""
