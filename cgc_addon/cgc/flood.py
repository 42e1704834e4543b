# SPDX-License-Identifier: GPL-3.0-or-later
"""From one Gaussian to all that belong to it: near each other, and with features like its own.

NumPy alone: Blender does it without the worker.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..splats.neighbours import reachable, typical_spacing
from .prompts import DEFAULT_COSINE, select_by_feature

HOP = 2.0
"""How far a flood goes over nothing, in typical distances of Gaussians."""
_SAME_THING = 0.5
"""Least cosine of Gaussians beside the one that is pointed at, for their features to count."""


def flood(
    means: NDArray[np.floating],
    features: NDArray[np.floating],
    seed: int,
    minimum_cosine: float = DEFAULT_COSINE,
    hop: float = HOP,
) -> NDArray[np.bool_]:
    """Return which Gaussians one comes to from one of them over Gaussians with such features.

    What is asked for is the mean feature of the seed and of what is beside it, as the feature of
    one Gaussian alone is noisy.

    Args:
        means: (N, 3) scene units.
        features: (N, D) any length; those of length 0 are of nothing.
        seed: index of the Gaussian that is pointed at.
        minimum_cosine: −1..1, how much the same way features have to point.
        hop: as `HOP`.

    Returns:
        (N,); the seed is always in it.
    """
    alike = select_by_feature(features, features[seed], min(minimum_cosine, _SAME_THING))
    alike[seed] = True
    spacing = typical_spacing(means[alike])
    beside = alike & (np.linalg.norm(means - means[seed], axis=1) <= HOP * spacing)
    lengths = np.maximum(np.linalg.norm(features[beside], axis=1, keepdims=True), 1e-30)
    prompt = (features[beside] / lengths).sum(axis=0)
    alike = select_by_feature(features, prompt, minimum_cosine)
    alike[seed] = True
    rows = np.flatnonzero(alike)
    found = np.zeros(len(means), bool)
    found[rows] = reachable(means[rows], np.flatnonzero(rows == seed), hop * spacing)
    return found
