# SPDX-License-Identifier: GPL-3.0-or-later
"""How much of each Gaussian lies in which mask of a view: a small table, from which all is voted.

A view has millions of blending weights but few masks, and a Gaussian lies in one or two of them.
Gathered once, votes for any number of segments cost next to nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .observations import Observation

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

_TABLE_SIZE = 1_000_000
"""Entries of a block: those of all that is added up then stay near the processor."""


@dataclass(frozen=True, eq=False)
class MaskVotes:
    """What one view's pixels in M masks are made of."""

    masks: NDArray[np.int32]
    """(M,) the ids of the masks, ascending."""
    mask: NDArray[np.int64]
    """(Q,) which of them each pixel that counts lies in."""
    votes: csr_matrix
    """(M, N) Σ of the weights of each Gaussian in each mask, times the area of a pixel."""


@dataclass(frozen=True, eq=False)
class SegmentVotes:
    """How much of B Gaussians, one after the other, belongs to S segments."""

    first: int
    """Number of the first of these Gaussians."""
    votes: NDArray[np.float32]
    """(B, S) pixels of all views together."""
    views: NDArray[np.int32]
    """(B, S) views in which they are worth counting."""


def mask_votes(
    observation: Observation,
    labels: NDArray[np.integer[Any]] | None = None,
    counts: NDArray[np.bool_] | None = None,
) -> MaskVotes:
    """Gather the blending weights of a view by mask.

    Args:
        observation: P pixels of N Gaussians.
        labels: (P,) mask of each pixel, in place of those of the observation.
        counts: (P,) which pixels count; all that are in a mask, > 0, if None.
    """
    from scipy.sparse import csr_matrix

    labels = observation.labels if labels is None else labels
    pixels = np.flatnonzero(labels > 0 if counts is None else counts)
    masks, mask = np.unique(labels[pixels], return_inverse=True)
    mask = mask.reshape(-1)
    membership = csr_matrix(
        (np.full(len(pixels), observation.pixel_area, np.float32), (mask, pixels)),
        shape=(len(masks), len(labels)),
    )
    votes = csr_matrix(membership @ observation.sparse())
    return MaskVotes(masks.astype(np.int32), mask, votes)


def segment_votes(
    views: Sequence[tuple[MaskVotes, NDArray[np.float32]]],
    count: int,
    segments: int,
    minimum_vote: float = 0.0,
) -> Iterator[SegmentVotes]:
    """Pass what is in masks on to segments, all Gaussians in turn.

    A block of Gaussians after the other: the table of all would not fit for large splats.

    Args:
        views: votes for the M masks of each, and (M, S) how much of a mask is each segment.
        count: N.
        segments: S.
        minimum_vote: pixels; fewer in one view do not make it one that shows a Gaussian.
    """
    from scipy.sparse import csr_matrix

    cast = [csr_matrix(found.votes.T @ csr_matrix(table)) for found, table in views]
    size = max(1, _TABLE_SIZE // segments)
    for first in range(0, count, size):
        last = min(first + size, count)
        votes = np.zeros((last - first) * segments, np.float32)
        evident = np.zeros((last - first) * segments, np.int32)
        for one in cast:
            entries = slice(one.indptr[first], one.indptr[last])
            place = np.repeat(np.arange(last - first), np.diff(one.indptr[first : last + 1]))
            place = place * segments + one.indices[entries]
            votes[place] += one.data[entries]
            evident[place] += one.data[entries] >= minimum_vote
        yield SegmentVotes(first, votes.reshape(-1, segments), evident.reshape(-1, segments))
