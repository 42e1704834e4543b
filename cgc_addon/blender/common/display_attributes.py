# SPDX-License-Identifier: GPL-3.0-or-later
"""What Gaussians look like drawn as solid balls: the colour and the radius of each."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...splats.gaussians import Gaussians
from ...splats.spherical_harmonics import CONSTANT_BASIS
from ...srgb import linear_from_srgb, srgb_from_linear

SURFACE_OPACITY = 0.3
"""A ball ends where the opacity of its Gaussian falls below this."""
LARGEST = 4.0
"""Balls are at most this many times as large as the middle one, so that none hides all others."""


def sigmoid(values: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return 1 / (1 + exp(−values))."""
    return 1.0 / (1.0 + np.exp(-values.astype(np.float64)))


def display_colors(gaussians: Gaussians) -> NDArray[np.float32]:
    """Return scene-linear RGB, the mean over all directions, and opacity (N, 4)."""
    srgb = 0.5 + CONSTANT_BASIS * gaussians.sh[:, 0].astype(np.float64)
    opacities = sigmoid(gaussians.logit_opacities)
    return np.column_stack([linear_from_srgb(srgb), opacities]).astype(np.float32)


def constants_from_colors(colors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the constant harmonics (N, 3) that have these display colours (N, 4)."""
    return ((srgb_from_linear(colors[:, :3]) - 0.5) / CONSTANT_BASIS).astype(np.float32)


def display_radii(gaussians: Gaussians) -> NDArray[np.float32]:
    """Return the radius of each ball (N,), 0 for what is too transparent to be seen.

    A Gaussian of opacity o falls to t at sqrt(2 ln(o / t)) standard deviations; the geometric mean
    of the three makes a ball of the same volume.
    """
    if len(gaussians) == 0:
        return np.zeros(0, dtype=np.float32)
    opacities = sigmoid(gaussians.logit_opacities)
    deviations = np.sqrt(2.0 * np.log(np.maximum(opacities / SURFACE_OPACITY, 1.0)))
    radii = np.exp(gaussians.log_scales.astype(np.float64).mean(axis=1)) * deviations
    seen = radii[radii > 0]
    if len(seen):
        radii = np.minimum(radii, LARGEST * np.median(seen))
    return np.minimum(radii, np.finfo(np.float32).max).astype(np.float32)
