# SPDX-License-Identifier: GPL-3.0-or-later
"""16-dimensional features as colours: their three principal directions, the same in every view."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LEAST_RANGE = 0.4
"""Range of each channel at least, of that of the widest one."""
_SHORTEST = 1e-6


@dataclass(frozen=True, eq=False)
class FeatureColors:
    """An affine map from unit features to RGB."""

    mean: NDArray[np.float32]
    """(D,)."""
    directions: NDArray[np.float32]
    """(3, D)."""
    low: NDArray[np.float32]
    """(3,) shown as 0."""
    high: NDArray[np.float32]
    """(3,) shown as 1."""

    def __call__(self, features: NDArray[np.floating]) -> NDArray[np.uint8]:
        """Return colours (…, 3) of features (…, D) of any length; no feature is black."""
        lengths = np.linalg.norm(features, axis=-1, keepdims=True)
        units = features / np.maximum(lengths, _SHORTEST)
        values = ((units - self.mean) @ self.directions.T - self.low) / (self.high - self.low)
        colors = np.clip(values, 0.0, 1.0) * np.minimum(1.0, lengths / _SHORTEST)
        return np.round(colors * 255.0).astype(np.uint8)


def fit_feature_colors(
    features: NDArray[np.float32], weights: NDArray[np.floating]
) -> FeatureColors:
    """Find the three directions in which the features of a splat differ most.

    Args:
        features: (N, D) of any length; those of length 0 do not count.
        weights: (N,) how much each counts, such as its opacity.
    """
    lengths = np.linalg.norm(features, axis=1)
    used = lengths > _SHORTEST
    units = features[used] / lengths[used, None]
    share = np.asarray(weights, np.float64)[used]
    if len(units) == 0 or share.sum() <= 0.0:
        dimension = features.shape[1]
        zero = np.zeros(3, np.float32)
        return FeatureColors(
            np.zeros(dimension, np.float32),
            np.eye(3, dimension, dtype=np.float32),
            zero - 1,
            zero + 1,
        )
    share = share / share.sum()
    mean = share @ units
    centred = units - mean
    _, vectors = np.linalg.eigh((centred * share[:, None]).T @ centred)
    directions = vectors[:, ::-1][:, :3].T
    # An eigenvector's sign is arbitrary: fix it, so that colours do not flip between two runs.
    largest = np.abs(directions).argmax(axis=1)
    directions = directions * np.sign(directions[np.arange(3), largest])[:, None]
    values = centred @ directions.T
    low, high = np.percentile(values, (2, 98), axis=0)
    # A direction in which hardly anything differs must not be blown up to full contrast.
    missing = np.maximum(0.0, LEAST_RANGE * (high - low).max() + 1e-6 - (high - low)) / 2.0
    low, high = low - missing, high + missing
    return FeatureColors(
        mean.astype(np.float32),
        directions.astype(np.float32),
        low.astype(np.float32),
        high.astype(np.float32),
    )
