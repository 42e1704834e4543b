# SPDX-License-Identifier: GPL-3.0-or-later
"""Third pass on the graphics card: the splats' picture laid over the region, once.

Over a background that Blender has drawn among its overlays, splats are blended in sRGB, as in
training. Over meshes and worlds they cannot be: those are in a picture that scripts do not see, and
Blender will lay what is written here over it as light adds up. So it is written for that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import gpu

from .graphics import bind, new_shader_info, shader_over_all, triangle_over_all
from .srgb_glsl import SRGB

if TYPE_CHECKING:
    from gpu.types import GPUShader, GPUTexture

    from .surroundings import Surroundings

NO_OUTLINE = (0.0, 0.0, 0.0, 0.0)


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
        around: Surroundings,
        outline: Outline,
        area: tuple[int, int, int, int],
        *,
        empty_is_known: bool = True,
    ) -> None:
        """Write into the framebuffer that is bound.

        Args:
            picture: premultiplied, sRGB, of any size.
            marks: coverage by what is selected (red) and active (green), None where nothing is.
            around: what the framebuffer holds there.
            outline: colours.
            area: x, y, width and height in the framebuffer, px.
            empty_is_known: whether nothing is behind pixels of the farthest depth but what the
                framebuffer holds: no world.
        """
        shader = self._shader
        gpu.state.viewport_set(*area)
        gpu.state.depth_test_set("NONE")
        gpu.state.blend_set("NONE")
        samplers = {
            "picture": picture,
            "marks": marks or picture,
            "below": around.color_texture,
            "depths": around.depth_texture,
        }
        constants = {
            "origin": area[:2],
            "empty_is_known": int(empty_is_known),
            "selected_line": NO_OUTLINE if marks is None else (*outline.selected, 1.0),
            "active_line": (*outline.active, outline.width),
        }
        bind(shader, samplers, constants)
        self._everywhere.draw(shader)


def _shader() -> GPUShader:
    constants = {"origin": "VEC2", "selected_line": "VEC4", "active_line": "VEC4"}
    constants["empty_is_known"] = "INT"
    constants["srgbTarget"] = "BOOL"  # set by Blender, which knows it by this name
    info = new_shader_info(("picture", "marks", "below", "depths"), constants, ("color",))
    return shader_over_all(info, SRGB + _FRAGMENT)


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

void main()
{
  vec2 pixel = gl_FragCoord.xy - origin;
  vec4 behind = texelFetch(below, ivec2(pixel), 0);
  vec4 splats = enlarged(picture, pixel);
  bool empty = texelFetch(depths, ivec2(pixel), 0).x >= 1.0;
  color = splats + behind * (1.0 - splats.a);
  if (!empty || (empty_is_known == 0 && behind == vec4(0.0))) {
    vec3 light = linear_from_srgb(splats.rgb / max(splats.a, 1e-6)) * splats.a;
    color.rgb = srgb_from_linear(light + linear_from_srgb(behind.rgb) * (1.0 - splats.a));
  }
  if (selected_line.a > 0.0) {
    vec2 line = edge(pixel);
    color = mix(color, vec4(selected_line.rgb, 1.0), line.x);
    color = mix(color, vec4(active_line.rgb, 1.0), line.y);
  }
  if (srgbTarget) { /* What is written will be encoded. */
    color.rgb = linear_from_srgb(color.rgb);
  }
}
"""
