# SPDX-License-Identifier: GPL-3.0-or-later
"""Let the masks decide which segment each Gaussian belongs to, once the segments are known.

Features blur where objects meet. Masks are sharp there: each one is spread over segments in some
proportion, and passes that proportion on to every Gaussian by the pixels it makes up in that mask.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..progress import Reporter, ShouldStop, never, silent, track
from .clusters.clustering import Clustering
from .directions import unit
from .observations import Observation

# Votes for so many segments at a time: bounds the memory to a feature per Gaussian.
_SEGMENTS_AT_ONCE = 16


def vote_segments(
    observations: Sequence[Observation],
    segments: NDArray[np.int32],
    *,
    report: Reporter = silent,
    should_stop: ShouldStop = never,
) -> NDArray[np.int32]:
    """Return the segment that the masks give to each Gaussian.

    A mask votes for segment s (0 = none is a choice, too) by the share of its pixels that show s;
    a Gaussian takes the segment with most votes, Σ over its pixels of weight · share. Unlabelled
    pixels do not vote; a Gaussian without any vote keeps its segment.

    Args:
        observations: of all labelled views.
        segments: (N,) segment of each Gaussian, 0 = none.
        report: progress.
        should_stop: asked between views.

    Returns:
        (N,) segments, from the same ids.

    Raises:
        Interrupted: when `should_stop` says so.
    """
    highest = int(segments.max(initial=0))
    shares = []
    for observation in track(observations, "Asking the masks", report, should_stop):
        shown = observation.blending.strongest_labels(segments)
        _, mask = np.unique(observation.labels, return_inverse=True)
        table = np.zeros((int(mask.max(initial=-1)) + 1, highest + 1), np.float32)
        np.add.at(table, (mask, shown), 1)
        table /= table.sum(axis=1, keepdims=True)
        table[mask[observation.labels == 0]] = 0
        shares.append((table, mask))

    voted = segments.copy()
    most = np.zeros(len(segments), np.float32)
    for begin in range(0, highest + 1, _SEGMENTS_AT_ONCE):
        block = slice(begin, begin + _SEGMENTS_AT_ONCE)
        votes = np.zeros((len(segments), min(_SEGMENTS_AT_ONCE, highest + 1 - begin)), np.float32)
        for observation, (table, mask) in zip(observations, shares, strict=True):
            if table[:, block].any():
                cast = np.ascontiguousarray(table[:, block][mask])
                votes += np.float32(observation.pixel_area) * observation.blending.scatter(cast)
        best = votes.argmax(axis=1)
        count = votes[np.arange(len(votes)), best]
        better = count > most
        voted[better] = begin + best[better]
        most[better] = count[better]
    return voted


def move_between_groups(
    clustering: Clustering,
    features: NDArray[np.floating],
    segment_of_group: NDArray[np.int32],
    voted: NDArray[np.int32],
) -> NDArray[np.int32]:
    """Return groups of Gaussians that make up the voted segments.

    A Gaussian whose group belongs to another segment than the one voted for goes to the group
    nearest in angle among those of the voted segment.

    Args:
        clustering: K groups.
        features: (N, D) any length.
        segment_of_group: (K + 1,) segment of each group, 0 for label 0.
        voted: (N,) segments, each 0 or one of `segment_of_group`.

    Returns:
        (N,) groups, 0 = none; `segment_of_group` of them is `voted`.
    """
    labels = np.where(voted == 0, 0, clustering.labels).astype(np.int32)
    for segment in np.unique(voted[voted > 0]):
        moved = np.nonzero((voted == segment) & (segment_of_group[clustering.labels] != segment))[0]
        groups = np.nonzero(segment_of_group == segment)[0]
        if len(moved):
            similarity = unit(features[moved]) @ clustering.prototypes[groups - 1].T
            labels[moved] = groups[similarity.argmax(axis=1)]
    return labels
