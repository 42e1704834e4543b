# SPDX-License-Identifier: GPL-3.0-or-later
"""Third pass on the graphics card: the splats' picture laid over the region, once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import gpu

from .graphics import bind, new_shader_info, shader_over_all, triangle_over_all

if TYPE_CHECKING:
    from gpu.types import GPUShader, GPUTexture

_NO_OUTLINE = (0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Outline:
    """How what is selected is set off."""

    selected: tuple[float, float, float] = (0.93, 0.34, 0.0)
    """sRGB."""
    active: tuple[float, float, float] = (1.0, 0.63, 0.16)
    """sRGB."""
    width: float = 1.0
    """px."""


class Compositor:
    """The shader and its screen-filling triangle."""

    def __init__(self) -> None:
        """Compile; needs a graphics context."""
        self._shader = _shader()
        self._everywhere = triangle_over_all()

    def lay_over(
        self,
        picture: GPUTexture,
        marks: GPUTexture | None,
        below: GPUTexture,
        outline: Outline,
        area: tuple[int, int, int, int],
    ) -> None:
        """Write into the framebuffer that is bound.

        Args:
            picture: premultiplied, sRGB, of any size.
            marks: coverage by what is selected (red) and active (green), None where nothing is.
            below: what the framebuffer holds there, premultiplied, sRGB.
            outline: colours.
            area: x, y, width and height in the framebuffer, px.
        """
        shader = self._shader
        gpu.state.viewport_set(*area)
        gpu.state.depth_test_set("NONE")
        gpu.state.blend_set("NONE")
        samplers = {"picture": picture, "marks": marks or picture, "below": below}
        constants = {
            "origin": area[:2],
            "selected_line": _NO_OUTLINE if marks is None else (*outline.selected, 1.0),
            "active_line": (*outline.active, outline.width),
        }
        bind(shader, samplers, constants)
        self._everywhere.draw(shader)


def _shader() -> GPUShader:
    constants = {"origin": "VEC2", "selected_line": "VEC4", "active_line": "VEC4"}
    constants["srgbTarget"] = "BOOL"  # set by Blender, which knows it by this name
    info = new_shader_info(("picture", "marks", "below"), constants, ("color",))
    return shader_over_all(info, _FRAGMENT)


_FRAGMENT = """
/* Linear interpolation by hand: not every Blender lets a script ask for it. */
vec4 enlarged(sampler2D image, vec2 pixel)
{
  vec2 size = vec2(textureSize(image, 0)), place = pixel * size / vec2(textureSize(below, 0));
  if (size == vec2(textureSize(below, 0))) {
    return texelFetch(image, ivec2(pixel), 0);
  }
  vec2 corner = floor(place - 0.5), share = place - 0.5 - corner;
  ivec2 last = ivec2(size) - 1, low = clamp(ivec2(corner), ivec2(0), last);
  ivec2 high = clamp(ivec2(corner) + 1, ivec2(0), last);
  return mix(mix(texelFetch(image, low, 0), texelFetch(image, ivec2(high.x, low.y), 0), share.x),
             mix(texelFetch(image, ivec2(low.x, high.y), 0), texelFetch(image, high, 0), share.x),
             share.y);
}

/* Return how much of an outline a pixel shows: those outside of a body, next to its edge. */
vec2 edge(vec2 pixel)
{
  vec2 most = vec2(0.0);
  vec2 last = vec2(textureSize(below, 0)) - 0.5;
  for (int turn = 0; turn < 8; turn++) {
    float angle = 0.7853981633974483 * float(turn);
    vec2 step = active_line.a * 1.5 * vec2(cos(angle), sin(angle));
    vec2 neighbour = clamp(pixel + step, vec2(0.5), last);
    most = max(most, enlarged(marks, neighbour).rg);
  }
  vec2 here = enlarged(marks, pixel).rg;
  return smoothstep(0.48, 0.52, most) * (1.0 - smoothstep(0.48, 0.52, here));
}

vec3 decoded(vec3 srgb)
{
  vec3 above = pow((max(srgb, vec3(0.0)) + 0.055) / 1.055, vec3(2.4));
  return mix(srgb / 12.92, above, greaterThan(srgb, vec3(0.04045)));
}

void main()
{
  vec2 pixel = gl_FragCoord.xy - origin;
  vec4 behind = texelFetch(below, ivec2(pixel), 0);
  vec4 splats = enlarged(picture, pixel);
  color = splats + behind * (1.0 - splats.a);
  if (selected_line.a > 0.0) {
    vec2 line = edge(pixel);
    color = mix(color, vec4(selected_line.rgb, 1.0), line.x);
    color = mix(color, vec4(active_line.rgb, 1.0), line.y);
  }
  if (srgbTarget) { /* What is written will be encoded. */
    color.rgb = decoded(color.rgb);
  }
}
"""
