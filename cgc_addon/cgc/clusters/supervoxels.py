# SPDX-License-Identifier: GPL-3.0-or-later
"""Clusters in small pieces, so that a cluster that holds two things can be taken apart.

Clusters of features hold together what masks show together; a cup that masks know only with its
saucer is in one cluster with it. Pieces are small enough to lie within one thing, wherever it ends.
They come from principal directions (Boley 1998), not from random starts: the same splat has the
same pieces every time.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..observations import Observation

PIECE_SHARE = 1.1e-3
"""Of a photo's pixels that a piece is to show, where it is seen."""
SEEN_SHARE = 2.7e-4
"""Views that show less of a cluster do not count for its size."""
MOST_PIECES = 40
"""Of one cluster."""
MOST_TOGETHER = 2_000
"""Of all clusters: pieces are compared pair by pair. In larger scenes they are larger."""
SMALLEST_PIECE = 10
"""Gaussians, as many as a segment needs."""
SIGNATURE_WEIGHT = 3.0
"""Of masks against places, which are measured in the spread of a cluster."""
_REFINEMENTS = 3


def supervoxels(
    observations: Sequence[Observation],
    clusters: NDArray[np.int32],
    coordinates: NDArray[np.float32],
) -> NDArray[np.int32]:
    """Take clusters apart into pieces of about the same visible size.

    Args:
        observations: of all labelled views.
        clusters: (N,) cluster of each Gaussian, 1..K, 0 = none.
        coordinates: (N, C) what pieces are to be alike in, see `piece_coordinates`.

    Returns:
        (N,) piece of each Gaussian, from 1 without gaps, 0 = none.
    """
    count = int(clusters.max(initial=0))
    sizes = np.zeros(count + 1)
    views = np.zeros(count + 1)
    for observation in observations:
        shown = np.bincount(observation.blending.strongest_labels(clusters), minlength=count + 1)
        share = shown / max(len(observation.labels), 1)
        sizes += np.where(share > SEEN_SHARE, share, 0)
        views += share > SEEN_SHARE
    wanted = np.ceil(sizes / np.maximum(views, 1) / PIECE_SHARE).astype(int)
    if wanted.sum() > MOST_TOGETHER:
        wanted = np.ceil(wanted * (MOST_TOGETHER / wanted.sum())).astype(int)
    pieces = np.zeros(len(clusters), np.int32)
    order = np.argsort(clusters, kind="stable")
    bounds = np.searchsorted(clusters[order], np.arange(1, count + 2))
    number = 0
    for cluster in range(1, count + 1):
        members = order[bounds[cluster - 1] : bounds[cluster]]
        most = min(wanted[cluster], MOST_PIECES, len(members) // SMALLEST_PIECE)
        for piece in divide(_spread(coordinates[members]), max(1, most)):
            if len(piece):
                number += 1
                pieces[members[piece]] = number
    return pieces


def piece_coordinates(
    means: NDArray[np.floating], signatures: NDArray[np.floating]
) -> NDArray[np.float32]:
    """Return what pieces of a cluster are to be alike in: their place, and their masks.

    Args:
        means: (N, 3) scene units; measured in the spread of each cluster later.
        signatures: (N, E) length 1, see `spectral_signatures`.
    """
    return np.concatenate([means, SIGNATURE_WEIGHT * signatures], axis=1).astype(np.float32)


def _spread(coordinates: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return coordinates (n, C) with places relative to the spread of the n Gaussians."""
    result = coordinates.astype(np.float64)
    result -= result.mean(axis=0) if len(result) else 0
    result[:, :3] /= max(float(result[:, :3].std()), 1e-12) if len(result) else 1
    return result


def divide(coordinates: NDArray[np.float64], count: int) -> list[NDArray[np.int64]]:
    """Divide points into at most `count` pieces: the most spread one in two, again and again.

    Args:
        coordinates: (n, C).
        count: ≥ 1.

    Returns:
        The members of each piece, ≥ `SMALLEST_PIECE` of them where there are more than one.

    Example:
        >>> line = np.arange(40.0)[:, None]
        >>> sorted((int(piece.min()), int(piece.max())) for piece in divide(line, 4))
        [(0, 9), (10, 19), (20, 29), (30, 39)]
    """
    pieces = [np.arange(len(coordinates))]
    spreads = [_scatter(coordinates)]
    while len(pieces) < count:
        widest = int(np.argmax(spreads))
        if spreads[widest] <= 0:
            break
        members = pieces[widest]
        side = _halved(coordinates[members])
        if side is None:
            spreads[widest] = 0.0
            continue
        pieces[widest], fresh = members[side], members[~side]
        pieces.append(fresh)
        spreads[widest] = _scatter(coordinates[pieces[widest]])
        spreads.append(_scatter(coordinates[fresh]))
    return pieces


def _scatter(points: NDArray[np.float64]) -> float:
    return float(np.square(points - points.mean(axis=0)).sum()) if len(points) else 0.0


def _halved(points: NDArray[np.float64]) -> NDArray[np.bool_] | None:
    """Return which points (n,) are on one side, None where there are not two sides."""
    if len(points) < 2 * SMALLEST_PIECE:
        return None
    centred = points - points.mean(axis=0)
    _, directions = np.linalg.eigh(centred.T @ centred)
    side = centred @ directions[:, -1] > 0
    for _ in range(_REFINEMENTS):  # Lloyd's steps, from where the principal direction cuts
        if side.all() or not side.any():
            return None
        first, second = centred[side].mean(axis=0), centred[~side].mean(axis=0)
        side = (centred - (first + second) / 2) @ (first - second) > 0
    fewest = min(int(side.sum()), int((~side).sum()))
    return side if fewest >= SMALLEST_PIECE else None
