# SPDX-License-Identifier: GPL-3.0-or-later
"""Group Gaussians by the direction of their features.

HDBSCAN finds the groups and their number. What it calls noise is left out of the prototypes; then
every Gaussian goes to the prototype nearest in angle, or to none where none is near.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...progress import Progress, Reporter, ShouldStop, never, silent, track
from ..directions import unit
from ..settings import ClusteringSettings
from .density import density_groups

_ROWS_AT_ONCE = 65_536


@dataclass(frozen=True, eq=False)
class Clustering:
    """Groups of Gaussians."""

    labels: NDArray[np.int32]
    """(N,) 1 to K, 0 = in no group."""
    prototypes: NDArray[np.float32]
    """(K, D) mean directions, length 1; row k − 1 belongs to label k."""
    cosines: NDArray[np.float32]
    """(N,) cosine of each feature to the nearest prototype, −1 where there is none."""


def cluster_features(
    features: NDArray[np.floating],
    weights: NDArray[np.floating],
    settings: ClusteringSettings | None = None,
    *,
    seed: int = 0,
    report: Reporter = silent,
    should_stop: ShouldStop = never,
) -> Clustering:
    """Group Gaussians by features.

    Args:
        features: (N, D) any length; Gaussians with feature 0 belong to no group.
        weights: (N,) pixels each Gaussian makes up in all views together.
        settings: see there; defaults if None.
        seed: of the sample that forms the groups where there are too many Gaussians.
        report: progress.
        should_stop: asked between the stages.

    Raises:
        Interrupted: when `should_stop` says so.

    Example:
        >>> features = np.repeat(np.array([[1.0, 0.0], [0.0, 3.0], [0.0, 0.0]]), 20, axis=0)
        >>> found = cluster_features(features, weights=np.full(60, 5.0))
        >>> found.labels[::20].tolist(), found.prototypes.tolist()
        ([1, 2, 0], [[1.0, 0.0], [0.0, 1.0]])
    """
    settings = settings or ClusteringSettings()
    directions = unit(features)
    seen = np.nonzero((weights > settings.minimum_weight) & directions.any(axis=1))[0]
    if len(seen) > settings.maximum_points:
        generator = np.random.default_rng(seed)
        seen = np.sort(generator.choice(seen, settings.maximum_points, replace=False))
    if len(seen) < 2 * settings.minimum_cluster_size:
        return assign(directions, np.zeros((0, features.shape[1]), np.float32))
    report(Progress("Clustering features", 0, 0))
    found = density_groups(
        directions[seen], settings.minimum_cluster_size, settings.minimum_samples
    )
    prototypes = mean_directions(directions[seen], found)
    return assign(
        directions,
        prototypes,
        minimum_cosine=settings.minimum_cosine,
        report=report,
        should_stop=should_stop,
    )


def mean_directions(
    directions: NDArray[np.float32], labels: NDArray[np.integer]
) -> NDArray[np.float32]:
    """Return the mean direction (K, D) of each label 0..K−1; negative labels are noise.

    Args:
        directions: (N, D) length 1.
        labels: (N,).
    """
    members = labels >= 0
    count = int(labels.max(initial=-1)) + 1
    sums = np.zeros((count, directions.shape[1]))
    np.add.at(sums, labels[members], directions[members])
    return unit(sums)


def assign(
    features: NDArray[np.floating],
    prototypes: NDArray[np.float32],
    *,
    minimum_cosine: float = 0.5,
    report: Reporter = silent,
    should_stop: ShouldStop = never,
) -> Clustering:
    """Give each Gaussian to the prototype nearest in angle.

    Args:
        features: (N, D) any length; a feature 0 belongs to no group.
        prototypes: (K, D) length 1.
        minimum_cosine: below it a Gaussian belongs to no group.
        report: progress.
        should_stop: asked between blocks of Gaussians.

    Raises:
        Interrupted: when `should_stop` says so.

    Example:
        >>> prototypes = np.array([[1, 0], [0, 1]], np.float32)
        >>> assign(np.array([[2.0, 0.1], [0.1, 2.0], [-1.0, 0.0]]), prototypes).labels.tolist()
        [1, 2, 0]
    """
    labels = np.zeros(len(features), np.int32)
    cosines = np.full(len(features), -1, np.float32)
    if len(prototypes):
        blocks = range(0, len(features), _ROWS_AT_ONCE)
        for begin in track(blocks, "Assigning Gaussians", report, should_stop):
            block = slice(begin, begin + _ROWS_AT_ONCE)
            directions = unit(features[block])
            similarity = directions @ prototypes.T
            nearest = similarity.argmax(axis=1)
            cosines[block] = similarity[np.arange(len(nearest)), nearest]
            near = (cosines[block] >= minimum_cosine) & directions.any(axis=1)
            labels[block] = np.where(near, nearest + 1, 0)
    return Clustering(labels, prototypes, cosines)
