# SPDX-License-Identifier: GPL-3.0-or-later
"""Clusters and their tree once more, by everything that the mask model answered.

Label maps show a pixel in one mask. Where the model found a cup alone and with its saucer, clusters
and tree know only what was painted. Here clusters are taken into small pieces, pieces are compared
by all answers and by how the surface bends between them, and of the nodes of the one tree over
all pieces those become objects that the answers show.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..progress import Progress, Reporter, ShouldStop, never, silent, track
from .clusters.bend import bends
from .clusters.clustering import Clustering, mean_directions
from .clusters.granularity import MergeTree
from .clusters.mask_tables import MaskTable, mask_tables, overlapping_co_occurrence
from .clusters.merging import CoOccurrence, contacts, shown_co_occurrence
from .clusters.node_scores import score_nodes
from .clusters.object_tree import arranged, choose_objects, piece_tree
from .clusters.signed_linkage import signed_linkage
from .clusters.supervoxels import piece_coordinates, supervoxels
from .directions import unit
from .features.neighbours import nearest_neighbours
from .observations import Observation

ANSWERED_SHARE = 0.5
"""Of the views that answers are needed of, to count for more than label maps."""
CONTACT_NEIGHBOURS = 8
AGREEMENT_WEIGHT, AGREEMENT_OFFSET = 3.0, 4.3
"""Evidence for one thing: 3 times agreement in label maps and in answers, less 4.3, plus bend."""
EVIDENCE_BOUNDS = -AGREEMENT_OFFSET - 1, 2 * AGREEMENT_WEIGHT - AGREEMENT_OFFSET + 1
"""Of what neither map nor answer shows together, at a concave edge; of the opposite."""


def are_answered(observations: Sequence[Observation]) -> bool:
    """Say whether enough views come with all answers of a mask model."""
    answered = sum(one.answers is not None for one in observations)
    return answered > 0 and answered >= ANSWERED_SHARE * len(observations)


def objects_by_answers(
    observations: Sequence[Observation],
    means: NDArray[np.floating],
    features: NDArray[np.floating],
    signatures: NDArray[np.floating],
    clustering: Clustering,
    *,
    report: Reporter = silent,
    should_stop: ShouldStop = never,
) -> tuple[Clustering, MergeTree]:
    """Return the groups in pieces, and the tree over them whose default cut is the objects.

    Args:
        observations: of all labelled views, with answers and surfaces.
        means: (N, 3) scene units.
        features: (N, D) that were clustered, any length.
        signatures: (N, E) see `spectral_signatures`.
        clustering: groups of N Gaussians.
        report: progress.
        should_stop: asked between views.

    Raises:
        Interrupted: when `should_stop` says so.
    """
    coordinates = piece_coordinates(means, signatures)
    pieces = supervoxels(observations, clustering.labels, coordinates)
    count = int(pieces.max(initial=0))
    if count == 0:
        groups = len(clustering.prototypes)
        return clustering, MergeTree(groups, np.zeros((0, 2), np.int32), np.zeros(0, np.float32))
    shown = [
        one.blending.strongest_labels(pieces)
        for one in track(observations, "Comparing pieces", report, should_stop)
    ]
    report(Progress("Choosing objects", 0, 0))
    tables = mask_tables(observations, shown)
    painted = shown_co_occurrence(observations, shown, count)
    answered = overlapping_co_occurrence(tables, count)
    bend = bends([one.surface for one in observations], shown, count)
    evidence = AGREEMENT_WEIGHT * (_mean(painted) + _mean(answered)) - AGREEMENT_OFFSET + bend
    members = np.nonzero(pieces)[0]
    touching = contacts(
        pieces[members], nearest_neighbours(means[members], CONTACT_NEIGHBOURS), count
    )
    cluster = np.zeros(count, np.int32)
    cluster[pieces[members] - 1] = clustering.labels[members]
    importance = np.asarray(np.sqrt(_common_views(tables, count) + 1) * touching, np.float64)
    prototypes = mean_directions(unit(features), pieces - 1)
    # In which order they join, what was learned of them decides, too.
    linkage = signed_linkage(evidence + prototypes @ prototypes.T, importance, touching)
    joined = piece_tree(linkage, cluster, evidence, importance, EVIDENCE_BOUNDS)
    nodes = score_nodes(linkage, tables)
    objects = arranged(joined, nodes, choose_objects(joined, nodes))
    return replace(clustering, labels=pieces, prototypes=prototypes), objects


def _mean(occurrence: CoOccurrence) -> NDArray[np.float64]:
    """Return the mean agreement (K, K) of pieces, 0 where they are never compared."""
    known = occurrence.evidence > 0
    return np.where(known, occurrence.agreement / np.maximum(occurrence.evidence, 1e-30), 0.0)


def _common_views(tables: Sequence[MaskTable], count: int) -> NDArray[np.float64]:
    """Return in how many views both of two pieces (K, K) are seen."""
    seen = np.zeros((len(tables), count), np.float32)
    for view, table in enumerate(tables):
        seen[view, table.pieces - 1] = 1
    return (seen.T @ seen).astype(np.float64)
