# SPDX-License-Identifier: GPL-3.0-or-later
"""Let the masks decide which segment each Gaussian belongs to, once the segments are known.

Features blur where objects meet. Masks are sharp there: each one is spread over segments in some
proportion, and passes that proportion on to every Gaussian by the pixels it makes up in that mask.

One view alone says along which ray a Gaussian lies, not where: what floats far behind an object, or
close before a camera, is of the object's colour and in its mask there. Only views from different
sides that agree are evidence that a Gaussian belongs to an object.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..progress import Reporter, ShouldStop, never, silent, track
from .clusters.clustering import Clustering
from .counting import count_pairs
from .directions import unit
from .mask_votes import mask_votes, segment_votes
from .observations import Observation

EVIDENT_VIEWS = 3
"""A Gaussian that so many views show in masks of one segment belongs there."""

_VIEWS_SHARE = 0.2
"""Of the views that show the middle Gaussian of a segment; fewer are enough where that is less."""

_MINIMUM_VOTE = 0.05
"""Votes, pixels: a view in which a Gaussian has fewer hardly shows it."""


@dataclass(frozen=True, eq=False)
class Votes:
    """What the masks say about N Gaussians."""

    segments: NDArray[np.int32]
    """(N,) the segment with most votes, 0 = none; one without any vote keeps what it had."""
    views: NDArray[np.int32]
    """(N,) views in which masks vote for that segment."""

    def required_views(self) -> NDArray[np.int32]:
        """Return how many views have to show a Gaussian in masks of each segment (K + 1,).

        They are a fifth of those that show its middle Gaussian, at least 1, at most
        `EVIDENT_VIEWS`: all round an object many views are to be had; a wall, or what only few
        photos have masks of, may be seen in one.

        Example:
            >>> segments = np.repeat(np.array([1, 2, 0], np.int32), 3)
            >>> views = np.array([20, 1, 22, 4, 5, 1, 0, 9, 0], np.int32)
            >>> Votes(segments, views).required_views().tolist()
            [0, 3, 1]
        """
        required = np.zeros(int(self.segments.max(initial=0)) + 1, np.int32)
        for segment in range(1, len(required)):
            seen = self.views[(self.segments == segment) & (self.views > 0)]
            middle = float(np.median(seen)) if len(seen) else 0.0
            required[segment] = np.clip(np.ceil(_VIEWS_SHARE * middle), 1, EVIDENT_VIEWS)
        return required

    def proven(self) -> NDArray[np.int32]:
        """Return the segments (N,), 0 for those with too few views to be sure of."""
        enough = self.views >= self.required_views()[self.segments]
        return np.where(enough, self.segments, 0).astype(np.int32)


def vote_segments(
    observations: Sequence[Observation],
    segments: NDArray[np.int32],
    *,
    report: Reporter = silent,
    should_stop: ShouldStop = never,
) -> Votes:
    """Ask the masks which segment each Gaussian belongs to.

    A mask votes for segment s (0 = none is a choice, too) by the share of its pixels that show s;
    a Gaussian takes the segment with most votes, Σ over its pixels of weight · share. Unlabelled
    pixels do not vote.

    Args:
        observations: of all labelled views.
        segments: (N,) segment of each Gaussian, 0 = none.
        report: progress.
        should_stop: asked between views.

    Raises:
        Interrupted: when `should_stop` says so.
    """
    highest = int(segments.max(initial=0))
    views = []
    for observation in track(observations, "Asking the masks", report, should_stop):
        found = mask_votes(observation)
        shown = observation.blending.strongest_labels(segments)
        shape = len(found.masks), highest + 1
        table = count_pairs(found.mask, shown[observation.labels > 0], shape)
        views.append((found, (table / table.sum(axis=1, keepdims=True)).astype(np.float32)))

    voted, seen = segments.copy(), np.zeros(len(segments), np.int32)
    for block in segment_votes(views, len(segments), highest + 1, _MINIMUM_VOTE):
        best = block.votes.argmax(axis=1)
        rows = np.arange(len(best))
        place = block.first + np.flatnonzero(block.votes[rows, best] > 0)
        voted[place] = best[place - block.first]
        seen[place] = block.views[rows, best][place - block.first]
    return Votes(voted, seen)


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
