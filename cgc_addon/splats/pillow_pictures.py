# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures within splat files by Pillow, which Blender has not."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .pictures import PictureCodec


def pillow_codec() -> PictureCodec:
    """Return Pillow's."""
    return PictureCodec(_decode, _encode)


def _decode(data: bytes) -> NDArray[np.uint8]:
    try:
        with Image.open(io.BytesIO(data)) as image:
            return np.asarray(image.convert("RGBA"))
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError(str(error)) from error


def _encode(pixels: NDArray[np.uint8]) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels, "RGBA").save(file, "WEBP", lossless=True, exact=True, quality=60)
    return file.getvalue()
