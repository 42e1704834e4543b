# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures within splat files by Blender itself, which has no Pillow."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import bpy
import numpy as np
from numpy.typing import NDArray

from ...splats.pictures import PictureCodec

if TYPE_CHECKING:
    from bpy.types import Image

LOSSLESS = 100
"""Quality at which Blender's WebP loses nothing."""


def blender_codec() -> PictureCodec:
    """Return Blender's, which works wherever data may be made: in operators, not while drawing."""
    return PictureCodec(_decode, _encode)


def _decode(data: bytes) -> NDArray[np.uint8]:
    # Blender 4.5 shows a WebP that is cut short as far as it goes, and one that is broken as zeros.
    if data.startswith(b"RIFF") and len(data) < 8 + int.from_bytes(data[4:8], "little"):
        raise ValueError("it is cut short")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "picture.webp")
        path.write_bytes(data)
        image = bpy.data.images.load(str(path))
        try:
            _as_numbers(image)
            width, height = image.size
            channels = image.channels
            if not width or not height or image.is_float or channels != 4:
                raise ValueError("Blender cannot read it")
            values = np.empty(width * height * channels, np.float32)
            cast("Any", image.pixels).foreach_get(values)
            if not values.any():
                raise ValueError("Blender cannot read it")
        finally:
            bpy.data.images.remove(image)
    pixels = np.round(values * 255).astype(np.uint8)
    return pixels.reshape(height, width, channels)[::-1]


def _encode(pixels: NDArray[np.uint8]) -> bytes:
    height, width, _ = pixels.shape
    image = bpy.data.images.new("splat", width, height, alpha=True, float_buffer=False)
    try:
        _as_numbers(image)
        values = np.ascontiguousarray(pixels[::-1], np.float32) / np.float32(255)
        cast("Any", image.pixels).foreach_set(values.reshape(-1))
        image.file_format = "WEBP"
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "picture.webp")
            image.save(filepath=str(path), quality=LOSSLESS)
            return path.read_bytes()
    finally:
        bpy.data.images.remove(image)


def _as_numbers(image: Image) -> None:
    """Keep colours and alpha as the bytes that they are."""
    cast("Any", image.colorspace_settings).name = "Non-Color"
    image.alpha_mode = "CHANNEL_PACKED"
