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

from .graphics import new_texture, read_color, read_depth

if TYPE_CHECKING:
    from gpu.types import GPUFrameBuffer, GPUTexture

_SOME = slice(None, None, 16)


@dataclass(frozen=True, eq=False)
class Surroundings:
    """One region, as the framebuffer holds it."""

    depths: NDArray[np.float32]
    """(H, W) 0..1, 1 where nothing is."""
    overlaid: NDArray[np.bool_]
    """(H, W) whether an overlay has been drawn there."""
    depth_texture: GPUTexture
    color_texture: GPUTexture
    """(H, W, 4) premultiplied, sRGB."""
    background: tuple[float, float, float] | None = None
    """sRGB of most of what is behind everything; None where that is not in the framebuffer."""


def read_surroundings(framebuffer: GPUFrameBuffer, area: tuple[int, int, int, int]) -> Surroundings:
    """Read what a framebuffer holds.

    Args:
        framebuffer: with colour and depth.
        area: x, y, width and height, px.
    """
    depths, colors = read_depth(framebuffer, area), read_color(framebuffer, area)
    return Surroundings(
        depths,
        colors[..., 3] > 0.0,
        new_texture(area[2:], "R32F", depths),
        new_texture(area[2:], "RGBA16F", colors),
        _background(depths, colors),
    )


def _background(
    depths: NDArray[np.float32], colors: NDArray[np.float32]
) -> tuple[float, float, float] | None:
    """Return the median colour of what is at the farthest depth, seen at some pixels of it."""
    few = colors[_SOME, _SOME][depths[_SOME, _SOME] >= 1.0]
    if not len(few) or np.median(few[:, 3]) < 1.0:
        return None
    red, green, blue = np.median(few[:, :3], axis=0).tolist()
    return red, green, blue


def nearest_depths(around: Surroundings) -> NDArray[np.float32]:
    """Return the depth (H, W) beyond which nothing is seen."""
    padded = np.pad(around.depths, 1, mode="edge")
    across = np.minimum(np.minimum(padded[:, :-2], padded[:, 1:-1]), padded[:, 2:])
    least = np.minimum(np.minimum(across[:-2], across[1:-1]), across[2:])
    return np.where(around.overlaid, least, around.depths)
