# SPDX-License-Identifier: GPL-3.0-or-later
"""Colours as photos have them, and as light adds up (IEC 61966-2-1)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def linear_from_srgb(colors: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return scene-linear colours of sRGB ones; negative ones mirror positive ones.

    Example:
        >>> linear_from_srgb(np.array([0.0, 0.5, 1.0])).round(3).tolist()
        [0.0, 0.214, 1.0]
    """
    magnitude = np.abs(np.asarray(colors, dtype=np.float64))
    linear = np.where(magnitude <= 0.04045, magnitude / 12.92, ((magnitude + 0.055) / 1.055) ** 2.4)
    return np.copysign(linear, colors)


def srgb_from_linear(colors: NDArray[np.floating]) -> NDArray[np.float64]:
    """Undo `linear_from_srgb`."""
    magnitude = np.abs(np.asarray(colors, dtype=np.float64))
    srgb = np.where(
        magnitude <= 0.0031308, magnitude * 12.92, 1.055 * magnitude ** (1 / 2.4) - 0.055
    )
    return np.copysign(srgb, colors)
