# SPDX-License-Identifier: GPL-3.0-or-later
"""Which groups of Gaussians are parts of one thing: those that the masks show together.

Let p_c(m) be the share of group c's visible pixels of a view that lies in mask m. Two groups agree
in that view by the cosine of p_c and p_d, and over all views by its mean q, each view weighted by
the root of the smaller group's pixels. Groups that touch are merged from the highest q down; the
order of merging is a tree, and every granularity is a cut through it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...progress import Reporter, ShouldStop, never, silent, track
from ..counting import count_pairs
from ..observations import Observation
from .granularity import MergeTree

MINIMUM_CONTACTS = 3
"""Neighbouring pairs of Gaussians that two groups need to touch."""


@dataclass(frozen=True, eq=False)
class CoOccurrence:
    """How far the masks show groups together, summed over views."""

    agreement: NDArray[np.float64]
    """(K, K) symmetric, Σ over views of weight · cosine."""
    evidence: NDArray[np.float64]
    """(K, K) symmetric, Σ over views of weight."""


def co_occurrence(
    observations: Sequence[Observation],
    labels: NDArray[np.int32],
    count: int,
    *,
    report: Reporter = silent,
    should_stop: ShouldStop = never,
) -> CoOccurrence:
    """Compare in every view how the groups are spread over its masks.

    Args:
        observations: of all labelled views.
        labels: (N,) group of each Gaussian, 1..K, 0 = none.
        count: K.
        report: progress.
        should_stop: asked between views.

    Raises:
        Interrupted: when `should_stop` says so.
    """
    shown = (
        one.blending.strongest_labels(labels)
        for one in track(observations, "Comparing groups", report, should_stop)
    )
    return shown_co_occurrence(observations, shown, count)


def shown_co_occurrence(
    observations: Sequence[Observation], shown: Iterable[NDArray[np.int32]], count: int
) -> CoOccurrence:
    """Compare groups as `co_occurrence` does, where it is known what each pixel shows.

    Args:
        observations: of all labelled views.
        shown: for each, the group (P,) of each sampled pixel, 0 = none.
        count: K.
    """
    agreement, evidence = np.zeros((count, count)), np.zeros((count, count))
    for observation, groups in zip(observations, shown, strict=True):
        usable = (groups > 0) & (observation.labels > 0)
        ids, mask = np.unique(observation.labels[usable], return_inverse=True)
        present, group = np.unique(groups[usable], return_inverse=True)
        table = count_pairs(group, mask, (len(present), len(ids)))
        pixels = table.sum(axis=1)
        directions = table / np.maximum(np.linalg.norm(table, axis=1, keepdims=True), 1e-30)
        weight = np.sqrt(np.minimum(pixels[:, None], pixels[None, :]))
        place = np.ix_(present - 1, present - 1)
        agreement[place] += weight * (directions @ directions.T)
        evidence[place] += weight
    return CoOccurrence(agreement, evidence)


def contacts(
    labels: NDArray[np.int32], neighbours: NDArray[np.int64], count: int
) -> NDArray[np.int64]:
    """Count the neighbouring pairs of Gaussians between groups.

    Args:
        labels: (N,) group of each Gaussian, 1..K, 0 = none.
        neighbours: (N, k) nearest neighbours of each Gaussian.
        count: K.

    Returns:
        (K, K) symmetric; the diagonal is 0.
    """
    own = np.repeat(labels, neighbours.shape[1])
    other = labels[neighbours].reshape(-1)
    between = (own > 0) & (other > 0) & (own != other)
    pairs = (own[between].astype(np.int64) - 1) * count + other[between] - 1
    table = np.bincount(pairs, minlength=count * count).reshape(count, count)
    return table + table.T


def merge_tree(
    occurrence: CoOccurrence,
    touching: NDArray[np.int64],
    minimum_contacts: int = MINIMUM_CONTACTS,
) -> MergeTree:
    """Merge the two touching groups that agree most, again and again (average linkage).

    Args:
        occurrence: of K groups.
        touching: (K, K) contacts between groups.
        minimum_contacts: fewer do not make two groups touch.

    Returns:
        The whole tree, down to groups that never touch or never agree.
    """
    agreement, evidence = occurrence.agreement.copy(), occurrence.evidence.copy()
    touching = touching.copy()
    count = len(agreement)

    def linkage(rows: NDArray[np.int64] | slice) -> NDArray[np.float64]:
        joined = (touching[rows] >= minimum_contacts) & (evidence[rows] > 0)
        return np.where(joined, agreement[rows] / np.maximum(evidence[rows], 1e-30), 0.0)

    q = linkage(slice(None))
    np.fill_diagonal(q, 0.0)
    best = q.max(axis=1, initial=0.0)
    merges: list[tuple[int, int]] = []
    heights: list[float] = []
    height = 1.0
    while count and best.max() > 0:
        first = int(best.argmax())
        second = int(q[first].argmax())
        kept, joined = min(first, second), max(first, second)
        # A merge can bring groups into contact that agree more than those merged before.
        height = min(height, float(best[first]))
        merges.append((kept + 1, joined + 1))
        heights.append(height)
        for table in (agreement, evidence, touching):
            table[kept] += table[joined]
            table[:, kept] += table[:, joined]
            table[joined] = table[:, joined] = 0
        touched = np.nonzero((q[kept] > 0) | (q[joined] > 0))[0]
        q[joined] = q[:, joined] = 0.0
        q[kept] = linkage(np.array([kept]))[0]
        q[kept, kept] = 0.0
        q[:, kept] = q[kept]
        changed = np.union1d(touched, np.append(np.nonzero(q[kept])[0], [kept, joined]))
        best[changed] = q[changed].max(axis=1)
    return MergeTree(
        count,
        np.array(merges, np.int32).reshape(-1, 2),
        np.array(heights, np.float32),
    )
