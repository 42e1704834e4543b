# SPDX-License-Identifier: GPL-3.0-or-later
"""Groups whose halves the masks never show together were one by chance: take them apart.

Learned features are pushed apart only within a view, and 16 numbers leave few directions: now and
then two things end up side by side. The masks themselves know better. Each group is halved by its
mask signatures; where the halves agree as little as two things do, they stay apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ...progress import Reporter, ShouldStop, never, silent
from ..directions import unit
from ..observations import Observation
from .clustering import Clustering, mean_directions
from .merging import co_occurrence

MINIMUM_AGREEMENT = 0.4
"""Halves of one thing agree by 0.6 and more, two things by 0.2 at most, see `merging`."""

ROUNDS = 3
"""A group is taken apart into at most two to the power of so many."""


def split_groups(
    clustering: Clustering,
    observations: Sequence[Observation],
    features: NDArray[np.floating],
    signatures: NDArray[np.floating],
    *,
    minimum_size: int = 10,
    minimum_agreement: float = MINIMUM_AGREEMENT,
    seed: int = 0,
    report: Reporter = silent,
    should_stop: ShouldStop = never,
) -> Clustering:
    """Return the groups after taking those apart whose halves disagree.

    Args:
        clustering: K groups of N Gaussians.
        observations: of all labelled views.
        features: (N, D) that were clustered, any length.
        signatures: (N, E) see `spectral_signatures`; how groups are halved.
        minimum_size: Gaussians; smaller halves are not split off.
        minimum_agreement: co-occurrence, 0..1, below which halves stay apart.
        seed: of the halving.
        report: progress.
        should_stop: asked between views.

    Raises:
        Interrupted: when `should_stop` says so.
    """
    labels, count = clustering.labels.copy(), len(clustering.prototypes)
    if count == 0:
        return clustering
    fresh = np.arange(1, count + 1)
    for _ in range(ROUNDS):
        halves = _halve(labels, fresh, signatures, minimum_size, seed)
        if not halves:
            break
        trial = labels.copy()
        for number, members in enumerate(halves.values()):
            trial[members] = count + 1 + number
        occurrence = co_occurrence(
            observations, trial, count + len(halves), report=report, should_stop=should_stop
        )
        old = np.array(list(halves)) - 1
        new = np.arange(count, count + len(halves))
        evidence = occurrence.evidence[old, new]
        agreement = occurrence.agreement[old, new] / np.maximum(evidence, 1e-30)
        apart = np.nonzero((evidence > 0) & (agreement < minimum_agreement))[0]
        taken = []
        for group in (old[apart] + 1).tolist():
            count += 1
            labels[halves[group]] = count
            taken += [group, count]
        fresh = np.array(taken, dtype=np.int64)
    prototypes = mean_directions(unit(features), labels - 1)
    own = np.einsum("nd,nd->n", unit(features), prototypes[np.maximum(labels, 1) - 1])
    cosines = np.where(labels > 0, own, clustering.cosines).astype(np.float32)
    return replace(clustering, labels=labels, prototypes=prototypes, cosines=cosines)


def _halve(
    labels: NDArray[np.int32],
    groups: NDArray[np.int64],
    signatures: NDArray[np.floating],
    minimum_size: int,
    seed: int,
) -> dict[int, NDArray[np.int64]]:
    """Return the members of the second half of each group that has two large enough halves."""
    from sklearn.cluster import KMeans

    halves: dict[int, NDArray[np.int64]] = {}
    known = signatures.any(axis=1)
    for group in groups.tolist():
        members = np.nonzero((labels == group) & known)[0]
        if len(members) < 2 * minimum_size:
            continue
        side = KMeans(n_clusters=2, n_init="auto", random_state=seed).fit_predict(
            signatures[members]
        )
        if min(np.count_nonzero(side), np.count_nonzero(side == 0)) >= minimum_size:
            halves[group] = members[side == 1]
    return halves
