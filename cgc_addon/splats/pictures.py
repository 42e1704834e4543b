# SPDX-License-Identifier: GPL-3.0-or-later
"""Who reads and writes the pictures within splat files: Pillow in the engine, Blender itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class PictureCodec:
    """Bytes of a file to pixels, and back."""

    decode: Callable[[bytes], NDArray[np.uint8]]
    """Returns pixels (H, W, 4), the upper row first; raises ValueError if it is no picture."""
    encode: Callable[[NDArray[np.uint8]], bytes]
    """Returns a lossless WebP of pixels (H, W, 4); where alpha is 0, colours may get lost."""
