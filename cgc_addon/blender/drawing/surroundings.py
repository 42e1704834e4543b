# SPDX-License-Identifier: GPL-3.0-or-later
"""What Blender has drawn where splats are about to be drawn: its colours and its depths.

The overlays (grid, outlines, wires) have been drawn by then, most of them with their depth. Lines
are smoothed, though, and outlines run outside of the body they belong to: there the depth of what
is next to them counts, so that neither is cut by a splat behind.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .graphics import (
    bind,
    drawing_into,
    new_framebuffer,
    new_shader_info,
    new_texture,
    read_color,
    read_depth,
    shader_over_all,
    triangle_over_all,
)

if TYPE_CHECKING:
    from gpu.types import GPUFrameBuffer, GPUShader, GPUTexture


@dataclass(frozen=True, eq=False)
class Surroundings:
    """One region, as the framebuffer holds it."""

    depths: NDArray[np.float32]
    """(H, W) 0..1, 1 where nothing is."""
    depth_texture: GPUTexture
    color_texture: GPUTexture
    """(H, W, 4) premultiplied, sRGB."""


def read_surroundings(framebuffer: GPUFrameBuffer, area: tuple[int, int, int, int]) -> Surroundings:
    """Read what a framebuffer holds.

    Args:
        framebuffer: with colour and depth.
        area: x, y, width and height, px.
    """
    depths, colors = read_depth(framebuffer, area), read_color(framebuffer, area)
    return Surroundings(
        depths,
        new_texture(area[2:], "R32F", depths),
        new_texture(area[2:], "RGBA16F", colors),
    )


class Nearest:
    """The shader that lets what is in front reach as far as its lines do."""

    def __init__(self) -> None:
        """Compile; needs a graphics context."""
        self._shader = _shader()
        self._everywhere = triangle_over_all()

    def depths(self, around: Surroundings) -> GPUTexture:
        """Return the depth (H, W) beyond which nothing is seen."""
        texture = around.depth_texture
        size = (texture.width, texture.height)
        result = new_texture(size, "R32F")
        with drawing_into(new_framebuffer(result), size):
            samplers = {"depths": texture, "overlays": around.color_texture}
            bind(self._shader, samplers, {})
            self._everywhere.draw(self._shader)
        return result


def _shader() -> GPUShader:
    return shader_over_all(new_shader_info(("depths", "overlays"), {}, ("nearest",)), _FRAGMENT)


_FRAGMENT = """
void main()
{
  ivec2 pixel = ivec2(gl_FragCoord.xy), last = textureSize(depths, 0) - 1;
  float depth = texelFetch(depths, pixel, 0).x;
  if (texelFetch(overlays, pixel, 0).a > 0.0) {
    for (int y = -1; y <= 1; y++) {
      for (int x = -1; x <= 1; x++) {
        ivec2 neighbour = clamp(pixel + ivec2(x, y), ivec2(0), last);
        depth = min(depth, texelFetch(depths, neighbour, 0).x);
      }
    }
  }
  nearest = vec4(depth);
}
"""
