# SPDX-License-Identifier: GPL-3.0-or-later
"""Third pass while the view moves: the splats' picture blended over the region, by its mean depth.

Nothing is read back: what Blender has drawn hides splats by the depth test, a pixel at a time, and
stays below them by blending. The framebuffer blends as light does, training blends display values:
over a background of one colour, which is known from the last time the view rested, what is written
makes up for the difference.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import gpu
import numpy as np

from ...srgb import linear_from_srgb
from .compositing import NO_OUTLINE, Outline
from .graphics import bind, new_shader_info, shader_over_all, triangle_over_all
from .srgb_glsl import SRGB

if TYPE_CHECKING:
    from gpu.types import GPUShader, GPUTexture

_UNKNOWN = (0.0, 0.0, 0.0, 0.0)


class DepthCompositor:
    """The shader and its screen-filling triangle."""

    def __init__(self) -> None:
        """Compile; needs a graphics context."""
        self._shader = _shader()
        self._everywhere = triangle_over_all()

    def lay_over(
        self,
        picture: GPUTexture,
        marks: GPUTexture,
        depth_of_nearness: tuple[float, float],
        background: tuple[float, float, float] | None,
        outline: Outline | None,
        area: tuple[int, int, int, int],
    ) -> None:
        """Write into the framebuffer that is bound, where its depths are not nearer.

        Args:
            picture: premultiplied, sRGB, of any size.
            marks: of the same size: coverage by what is selected (red) and active (green), and
                nearness (blue), each times its weight; and the sum of the weights.
            depth_of_nearness: `projection.depth_of_nearness` of the viewpoint.
            background: sRGB of what is behind everything, None where it is not known.
            outline: around what is selected, None for none.
            area: x, y, width and height in the framebuffer, px.
        """
        shader = self._shader
        gpu.state.viewport_set(*area)
        gpu.state.blend_set("ALPHA_PREMULT")
        gpu.state.depth_test_set("LESS_EQUAL")
        writes_depth = gpu.state.depth_mask_get()
        gpu.state.depth_mask_set(False)
        behind = _UNKNOWN if background is None else (*background, 1.0)
        linear = linear_from_srgb(np.array(behind[:3])).tolist()
        constants = {
            "area": area,
            "background": behind,
            "background_light": (*linear, 0.0),
            "selected_line": NO_OUTLINE if outline is None else (*outline.selected, 1.0),
            "active_line": NO_OUTLINE if outline is None else (*outline.active, outline.width),
            "depth_of_nearness": depth_of_nearness,
        }
        bind(shader, {"picture": picture, "marks": marks}, constants)
        self._everywhere.draw(shader)
        gpu.state.depth_mask_set(writes_depth)
        gpu.state.depth_test_set("NONE")
        gpu.state.blend_set("NONE")


def _shader() -> GPUShader:
    names = ("area", "background", "background_light", "selected_line", "active_line")
    constants: dict[str, str] = dict.fromkeys(names, "VEC4")
    constants["depth_of_nearness"] = "VEC2"
    constants["srgbTarget"] = "BOOL"  # set by Blender, which knows it by this name
    info = new_shader_info(("picture", "marks"), constants, ("color",))
    info.depth_write("ANY")
    return shader_over_all(info, SRGB + _FRAGMENT)


_FRAGMENT = """
/* Four texels around a pixel, and what each of them counts. */
struct Around {
  ivec2 low;
  ivec2 high;
  vec4 weights;
};

Around around(vec2 pixel)
{
  vec2 size = vec2(textureSize(picture, 0)), place = pixel * size / area.zw - 0.5;
  ivec2 last = ivec2(size) - 1, corner = ivec2(floor(place));
  vec2 high = fract(place), low = 1.0 - high;
  return Around(clamp(corner, ivec2(0), last), clamp(corner + 1, ivec2(0), last),
                vec4(low.x * low.y, high.x * low.y, low.x * high.y, high.x * high.y));
}

vec4 marks_at(Around at)
{
  return at.weights.x * texelFetch(marks, at.low, 0) +
         at.weights.y * texelFetch(marks, ivec2(at.high.x, at.low.y), 0) +
         at.weights.z * texelFetch(marks, ivec2(at.low.x, at.high.y), 0) +
         at.weights.w * texelFetch(marks, at.high, 0);
}

void main()
{
  vec2 pixel = gl_FragCoord.xy - area.xy;
  Around here = around(pixel);
  vec4 a = texelFetch(picture, here.low, 0);
  vec4 b = texelFetch(picture, ivec2(here.high.x, here.low.y), 0);
  vec4 c = texelFetch(picture, ivec2(here.low.x, here.high.y), 0);
  vec4 d = texelFetch(picture, here.high, 0);
  vec4 w = here.weights;
  vec4 splats = w.x * a + w.y * b + w.z * c + w.w * d;
  vec4 marked;
  if (selected_line.a > 0.0) {
    marked = marks_at(here);
  }
  else { /* The depth of the texel that counts most will do, for half of the time. */
    w *= vec4(a.a, b.a, c.a, d.a);
    vec2 most = max(w.xz, w.yw);
    bool upper = most.y > most.x, right = upper ? w.w > w.z : w.y > w.x;
    ivec2 at = ivec2(right ? here.high.x : here.low.x, upper ? here.high.y : here.low.y);
    marked = texelFetch(marks, at, 0);
  }
  vec2 line = vec2(0.0);
  /* In a smaller picture, what is next to an edge has a share of it. */
  bool coarse = float(textureSize(picture, 0).x) < area.z;
  if (selected_line.a > 0.0 && marked.r < 0.52 && (marked.r > 0.02 || !coarse)) {
    vec4 most = vec4(0.0);
    for (int turn = 0; turn < 8; turn++) {
      float angle = 0.7853981633974483 * float(turn);
      vec2 step = active_line.a * 1.5 * vec2(cos(angle), sin(angle));
      vec4 beside = marks_at(around(clamp(pixel + step, vec2(0.5), area.zw - 0.5)));
      most = beside.r > most.r ? beside : vec4(most.r, max(most.g, beside.g), most.ba);
    }
    line = smoothstep(0.48, 0.52, most.rg) * (1.0 - smoothstep(0.48, 0.52, marked.rg));
    marked = max(line.x, line.y) > 0.0 ? most : marked;
  }
  splats = mix(splats, vec4(selected_line.rgb, 1.0), line.x);
  splats = mix(splats, vec4(active_line.rgb, 1.0), line.y);
  if (splats.a < 0.002 || marked.a <= 0.0) {
    discard;
  }
  float nearness = marked.b / marked.a;
  gl_FragDepth = clamp(depth_of_nearness.x + depth_of_nearness.y * nearness, 0.0, 1.0);
  color = splats;
  if (srgbTarget) { /* Values are light from here on, and so is what is blended. */
    if (background.a > 0.0) {
      vec3 light = linear_from_srgb(splats.rgb + background.rgb * (1.0 - splats.a));
      /* No more may pass than there is to be seen. */
      vec3 most = light / max(background_light.rgb, vec3(1e-6));
      float passing = min(1.0 - splats.a, min(most.r, min(most.g, most.b)));
      color = vec4(light - background_light.rgb * passing, 1.0 - passing);
    }
    else {
      color.rgb = linear_from_srgb(splats.rgb / splats.a) * splats.a;
    }
  }
}
"""
