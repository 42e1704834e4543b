# SPDX-License-Identifier: GPL-3.0-or-later
"""PNG and NumPy files of renders, whole or not at all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..files import replacing


def save_png(path: Path, pixels: NDArray[np.uint8] | NDArray[np.uint16]) -> None:
    """Write (H, W, 3) uint8 or (H, W) uint8 or uint16 as PNG."""
    with replacing(path) as temporary:
        Image.fromarray(np.ascontiguousarray(pixels)).save(temporary, format="PNG")


def save_palette_png(path: Path, ids: NDArray[np.integer], palette: NDArray[np.uint8]) -> None:
    """Write ids (H, W) as PNG in the colours of a palette (K, 3), sRGB.

    Up to 256 colours the file keeps the ids themselves: they are the indices of its palette.
    """
    with replacing(path) as temporary:
        if len(palette) > 256:
            Image.fromarray(palette[ids]).save(temporary, format="PNG")
            return
        image = Image.fromarray(ids.astype(np.uint8))
        image.putpalette(palette.tobytes())
        image.save(temporary, format="PNG", bits=8)


def save_array(path: Path, values: NDArray[np.generic]) -> None:
    """Write an array as .npy."""
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.save(file, values, allow_pickle=False)


def to_bytes(rgb: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Return colours in 0..1 as 8-bit, clamped and rounded."""
    return np.round(np.clip(rgb, 0.0, 1.0) * 255.0).astype(np.uint8)
