# SPDX-License-Identifier: GPL-3.0-or-later
"""360° panoramas are told from photos: taken for one, they give cameras that only look right."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

WHAT_TO_DO = (
    "it is a 360° panorama, which no lens shows; cut it into ordinary views of some 90° first, "
    "for example with the filter v360 of FFmpeg"
)
_SAMPLED = (256, 128)
"""Width and height at which a picture is looked at, px."""
_SHAPE = 0.005
"""Largest difference of width to twice the height, as a share."""
_PLAIN = 6.0
"""Standard deviation of greys below which an edge shows nothing, of 255."""

_GOES_ON = 0.9
"""Correlation of the greys of both side edges."""
_ONE_PLACE = 0.3
"""Variation along the upper or lower edge, as a share of that of the picture."""


def is_panorama(image: Image.Image) -> bool:
    """Say whether an image that was opened is an equirectangular panorama of all directions.

    Its metadata say so; or it is twice as wide as high, goes on at its left edge where its right
    one ends, and has a single place along its upper edge, and another along its lower one.
    """
    xmp = image.info.get("xmp", b"")
    text = xmp if isinstance(xmp, bytes) else str(xmp).encode()
    if b"equirectangular" in text.lower():
        return True
    if not has_shape_of_panorama(*image.size):
        return False
    image.draft("L", _SAMPLED)
    grey = image.convert("L").resize(_SAMPLED, Image.Resampling.BOX)
    return _surrounds(np.asarray(grey, np.float64))


def pixels_are_panorama(pixels: NDArray[np.uint8]) -> bool:
    """Say the same of a frame (H, W, 3)."""
    height, width = pixels.shape[:2]
    return has_shape_of_panorama(width, height) and is_panorama(Image.fromarray(pixels))


def has_shape_of_panorama(width: int, height: int) -> bool:
    """Say whether a picture is twice as wide as high, px."""
    return abs(width - 2 * height) <= _SHAPE * width


def _surrounds(grey: NDArray[np.float64]) -> bool:
    """Say whether a picture (H, W) in 0..255 closes at its sides, above and below."""
    left, right = grey[:, 0], grey[:, -1]
    if left.std() < _PLAIN:  # a thing before a plain wall closes, too
        return False
    if np.corrcoef(left, right)[0, 1] < _GOES_ON:
        return False
    poles = max(grey[0].std(), grey[-1].std())
    return bool(poles < _ONE_PLACE * grey.std())
