# SPDX-License-Identifier: GPL-3.0-or-later
"""From learned features to objects: lift, cluster, compare, and cut at a granularity.

Where photos have label maps of parts besides those of objects, both count as views of the scene:
parts of one object agree in one half of them, so that the tree joins them between the two.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..progress import Reporter, ShouldStop, never, silent
from ..splats.gaussians import Gaussians
from .answer_maps import with_object_maps
from .clusters.clustering import Clustering, cluster_features
from .clusters.granularity import MergeTree, merge_threshold
from .clusters.merging import co_occurrence, contacts, merge_tree
from .clusters.splitting import split_groups
from .directions import unit
from .features.lift import LiftedFeatures, lift_features
from .features.neighbours import nearest_neighbours
from .features.spectral import spectral_signatures
from .objects_by_answers import are_answered, objects_by_answers
from .observations import Observation, at_every_level, finest_level
from .segments import Segments, describe_segments
from .settings import DEFAULT_GRANULARITY, MINIMUM_SIZE, ClusteringSettings
from .voting import move_between_groups, vote_segments

CONTACT_NEIGHBOURS = 8

MINIMUM_CONFIDENCE = 0.1
"""Gaussians less covered by masks that agree belong to nothing; those of objects have over 0.2."""


@dataclass(frozen=True, eq=False)
class Segmentation:
    """Everything needed to cut a scene into objects at any granularity, at once."""

    lifted: LiftedFeatures
    clustering: Clustering
    tree: MergeTree

    def labels(
        self,
        granularity: float = DEFAULT_GRANULARITY,
        minimum_size: int = MINIMUM_SIZE,
        *,
        gaussians: Gaussians | None = None,
    ) -> NDArray[np.int32]:
        """Return the segment of each Gaussian (N,): 1 = largest, 0 = none.

        Args:
            granularity: 0 = parts … 1 = whole objects, see `merge_threshold`.
            minimum_size: Gaussians; smaller segments become 0.
            gaussians: as `MergeTree.labels` takes them.
        """
        return self.tree.labels(
            self.clustering.labels, granularity, minimum_size, gaussians=gaussians
        )

    def segments(self, labels: NDArray[np.int32]) -> Segments:
        """List the objects of a cut.

        Args:
            labels: (N,) as `labels` returns them.
        """
        return describe_segments(labels, self.lifted.features)


def find_segments(
    observations: Sequence[Observation],
    means: NDArray[np.floating],
    features: NDArray[np.float32],
    settings: ClusteringSettings | None = None,
    *,
    lift: bool = True,
    vote: bool = True,
    seed: int = 0,
    report: Reporter = silent,
    should_stop: ShouldStop = never,
) -> Segmentation:
    """Find the objects of a splat.

    Args:
        observations: of all labelled views.
        means: (N, 3) scene units.
        features: (N, D) learned features.
        settings: of the clustering; defaults if None.
        lift: cluster the lifted features; else the learned ones, as the paper does.
        vote: let the masks take groups apart that are two things, and decide over Gaussians at
            the borders of segments; else nothing but the features counts, as in the paper.
        seed: of the clustering, where it takes a sample.
        report: progress.
        should_stop: asked between stages.

    Raises:
        Interrupted: when `should_stop` says so.
    """
    everything = at_every_level(observations)
    lifted = lift_features(everything, features)
    if not lift:
        lifted = replace(lifted, features=unit(features))
    settings = settings or ClusteringSettings()
    clustering = cluster_features(
        lifted.features,
        lifted.weights,
        settings,
        seed=seed,
        report=report,
        should_stop=should_stop,
    )
    signatures = None
    if vote:
        finest = finest_level(observations)
        signatures = spectral_signatures(finest)
        clustering = split_groups(
            clustering,
            finest,
            lifted.features,
            signatures,
            minimum_size=settings.minimum_cluster_size,
            report=report,
            should_stop=should_stop,
        )
    if signatures is not None and are_answered(observations):
        clustering, tree = objects_by_answers(
            observations,
            means,
            lifted.features,
            signatures,
            clustering,
            report=report,
            should_stop=should_stop,
        )
    else:
        count = len(clustering.prototypes)
        occurrence = co_occurrence(
            everything, clustering.labels, count, report=report, should_stop=should_stop
        )
        members = np.nonzero(clustering.labels)[0]
        near = nearest_neighbours(means[members], CONTACT_NEIGHBOURS)
        tree = merge_tree(occurrence, contacts(clustering.labels[members], near, count))
    found = Segmentation(lifted, clustering, tree)
    return _voted(found, observations, report, should_stop) if vote else found


def after_refinement(
    found: Segmentation,
    observations: Sequence[Observation],
    features: NDArray[np.float32],
    origin: NDArray[np.int64],
    *,
    report: Reporter = silent,
    should_stop: ShouldStop = never,
) -> Segmentation:
    """Bring a segmentation up to date with a splat whose Gaussians were split and moved.

    Groups and their tree stay; who belongs to which is voted anew.

    Args:
        found: segmentation of the splat before, of N Gaussians.
        observations: of the splat now, of M Gaussians.
        features: (N, D) learned features of the splat before.
        origin: (M,) the Gaussian before that each one now comes from.
        report: progress.
        should_stop: asked between views.

    Raises:
        Interrupted: when `should_stop` says so.
    """
    clustering = found.clustering
    moved = Segmentation(
        lift_features(at_every_level(observations), features[origin]),
        replace(clustering, labels=clustering.labels[origin], cosines=clustering.cosines[origin]),
        found.tree,
    )
    return _voted(moved, observations, report, should_stop)


def _voted(
    found: Segmentation,
    observations: Sequence[Observation],
    report: Reporter,
    should_stop: ShouldStop,
) -> Segmentation:
    """Let the masks decide over Gaussians at the borders of the default cut.

    What hardly any mask ever covers is surroundings, whatever its feature looks like, and what only
    one view shows in a mask may be anywhere along its rays: such Gaussians leave their groups, so
    that no cut of the tree makes them part of an object.
    """
    clustering = found.clustering
    segment_of_group = found.tree.cut(merge_threshold(DEFAULT_GRANULARITY))
    segments = segment_of_group[clustering.labels]
    if are_answered(observations):
        observations = with_object_maps(observations, segments)
    votes = vote_segments(observations, segments, report=report, should_stop=should_stop)
    voted = np.where(found.lifted.confidence < MINIMUM_CONFIDENCE, 0, votes.proven())
    labels = move_between_groups(clustering, found.lifted.features, segment_of_group, voted)
    return replace(found, clustering=replace(clustering, labels=labels))
