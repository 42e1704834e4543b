# SPDX-License-Identifier: GPL-3.0-or-later
"""Features as colours: one set of principal directions for all splats of a scene."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...results.feature_colors import FeatureColors, fit_feature_colors
from ..splats.objects import features_of, opacities_of

if TYPE_CHECKING:
    from bpy.types import PointCloud

MOST_FITTED = 200_000
"""Gaussians that directions are found from; more would not turn them."""
GREY = 0.5


@dataclass(frozen=True, eq=False)
class FeatureBasis:
    """How the features of some point clouds are shown."""

    clouds: frozenset[int]
    """`session_uid` of those it was made for."""
    map: FeatureColors | None
    """None where none of them has features."""

    @classmethod
    def of(cls, clouds: Mapping[int, PointCloud]) -> FeatureBasis:
        """Find the directions in which the features of point clouds, by `session_uid`, differ."""
        every = max(1, sum(len(cloud.points) for cloud in clouds.values()) // MOST_FITTED)
        features, weights = [], []
        for cloud in clouds.values():
            found = features_of(cloud)
            if found is not None:
                features.append(found[::every])
                weights.append(opacities_of(cloud)[::every])
        if not features:
            return cls(frozenset(clouds), None)
        fitted = fit_feature_colors(np.concatenate(features), np.concatenate(weights))
        return cls(frozenset(clouds), fitted)

    def colors(self, cloud: PointCloud) -> NDArray[np.float32]:
        """Return the sRGB colours (N, 3) of a point cloud; grey where it has no features."""
        features = features_of(cloud)
        if self.map is None or features is None:
            return np.full((len(cloud.points), 3), GREY, np.float32)
        return self.map(features).astype(np.float32) / np.float32(255.0)
