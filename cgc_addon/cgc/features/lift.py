# SPDX-License-Identifier: GPL-3.0-or-later
"""Give each Gaussian the features of the pixels it is seen in.

Training constrains only what is blended: along a ray one Gaussian may lean to one side and the next
to the other. Lifting replaces a feature by the mean of the directions rendered where the Gaussian
shows, f_i ← Σ w_ip · r_p / |r_p| over all pixels p, and so takes that mixing away.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..observations import Observation


@dataclass(frozen=True, eq=False)
class LiftedFeatures:
    """Features of N Gaussians, gathered from the pixels they make up."""

    features: NDArray[np.float32]
    """(N, D) directions of length 1; 0 where a Gaussian makes up no labelled pixel."""
    confidence: NDArray[np.float32]
    """(N,) in 0..1: 1 where all pixels of a Gaussian are labelled and agree, 0 where none is."""
    weights: NDArray[np.float64]
    """(N,) how many pixels each Gaussian makes up in all views together, labelled or not."""


def lift_features(
    observations: Sequence[Observation],
    features: NDArray[np.float32],
    *,
    minimum_alpha: float = 0.5,
) -> LiftedFeatures:
    """Average the rendered directions over the labelled pixels that each Gaussian makes up.

    Args:
        observations: of all labelled views.
        features: (N, D) learned features, any length.
        minimum_alpha: pixels with less coverage count as unlabelled.
    """
    sums = np.zeros(features.shape)
    weights = np.zeros(len(features))
    for observation in observations:
        rendered = observation.blending.blend(features)
        lengths = np.linalg.norm(rendered, axis=1)
        shows = (observation.labels > 0) & (lengths > 0)
        shows &= observation.coverage() >= minimum_alpha
        directions = np.where(shows[:, None], rendered / np.maximum(lengths, 1e-30)[:, None], 0)
        sums += observation.pixel_area * observation.blending.scatter(directions.astype(np.float32))
        weights += observation.pixel_area * np.bincount(
            observation.blending.gaussians, observation.blending.weights, minlength=len(features)
        )
    lengths = np.linalg.norm(sums, axis=1)
    return LiftedFeatures(
        (sums / np.maximum(lengths, 1e-30)[:, None]).astype(np.float32),
        np.clip(lengths / np.maximum(weights, 1e-30), 0, 1).astype(np.float32),
        weights,
    )
