# SPDX-License-Identifier: GPL-3.0-or-later
"""Long arrays as textures, the one kind of buffer that every Blender's `gpu` module has."""

from __future__ import annotations

from typing import TYPE_CHECKING

import gpu
import numpy as np
from numpy.typing import NDArray

from .graphics import new_texture

if TYPE_CHECKING:
    from gpu.types import GPUTexture

SHIFT = 12
WIDTH = 1 << SHIFT
"""Texels in a row; item i lies at (i mod WIDTH, i div WIDTH)."""
AT = f"""
ivec2 at(int item)
{{
  return ivec2(item & {WIDTH - 1}, item >> {SHIFT});
}}
"""
"""GLSL for the place of an item."""


def rows_for(texels: int) -> int:
    """Return how many rows so many texels take, at least one."""
    return max(1, -(-texels // WIDTH))


def most_texels() -> int:
    """Return how many texels one texture may have on this computer."""
    return WIDTH * gpu.capabilities.max_texture_size_get()


def list_texture(values: NDArray[np.floating], texel_format: str) -> GPUTexture:
    """Return a list of vectors as a texture.

    Args:
        values: (N, C) with as many channels as the format has.
        texel_format: such as "RGBA32F"; what it cannot hold is rounded.
    """
    count, channels = values.shape
    rows = rows_for(count)
    padded = np.zeros((rows * WIDTH, channels), dtype=np.float32)
    padded[:count] = values
    return new_texture((WIDTH, rows), texel_format, padded)
