# SPDX-License-Identifier: GPL-3.0-or-later
"""Which Gaussians of an object float apart from it.

Gaussians hang together where their extents overlap, over however many others in between; what hangs
together is a piece. An object may have several pieces of weight, such as a pair of shoes. Crumbs,
that have hardly any Gaussians against its largest piece, do not belong to it.

NumPy alone: Blender recuts and cleans without the worker.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ..splats.rotations import matrices

REACH = 3.0
"""Standard deviations to which a Gaussian extends: an opaque one has 1 % of its opacity there."""

MINIMUM_SHARE = 0.02
"""Of the Gaussians of the largest piece; a piece with fewer is a crumb."""

MINIMUM_PIECE = 5
"""Gaussians; a piece with fewer is a crumb as well, where the largest has five times as many."""

_PAIRS_AT_ONCE = 1_000_000
_SAMPLES = 3
"""Gaussians of each cell that are tried first: mostly all of a cell hang together already."""


def isolated(
    means: NDArray[np.floating],
    scales: NDArray[np.floating],
    quats: NDArray[np.floating],
    groups: NDArray[np.integer] | None = None,
    *,
    reach: float = REACH,
    minimum_share: float = MINIMUM_SHARE,
) -> NDArray[np.bool_]:
    """Return which Gaussians (N,) are in crumbs.

    Args:
        means: (N, 3) scene units.
        scales: (N, 3) standard deviations along their axes, scene units.
        quats: (N, 4) wxyz, any length.
        groups: (N,) ≥ 0, the object of each; those of 0, which is none, are never isolated. One
            object if None.
        reach: see `pieces`.
        minimum_share: 0..1 of the Gaussians of the largest piece of the same object.

    Example:
        >>> means = np.array([[0, 0, 0], [1, 0, 0], [9, 0, 0.0]])
        >>> balls, upright = np.full((3, 3), 0.2), np.tile([1, 0, 0, 0.0], (3, 1))
        >>> isolated(means, balls, upright, minimum_share=0.6).tolist()
        [False, False, True]
    """
    if groups is None:
        groups = np.ones(len(means), np.int32)
    piece = pieces(means, scales, quats, groups, reach=reach)
    sizes = np.bincount(piece, minlength=len(means))[piece]
    largest = np.zeros(int(groups.max(initial=0)) + 1, np.int64)
    np.maximum.at(largest, groups, sizes)
    needed = np.maximum(minimum_share * largest, np.minimum(MINIMUM_PIECE, largest / 5))
    return (groups > 0) & (sizes < needed[groups])


def pieces(
    means: NDArray[np.floating],
    scales: NDArray[np.floating],
    quats: NDArray[np.floating],
    groups: NDArray[np.integer] | None = None,
    *,
    reach: float = REACH,
) -> NDArray[np.int64]:
    """Return the piece (N,) of each Gaussian, named after the first one in it.

    Two of them overlap where, on the line through their means, these are no farther apart than
    `reach` times the sum of the two standard deviations along it.

    Args:
        means: (N, 3) scene units.
        scales: (N, 3) standard deviations along their axes, scene units.
        quats: (N, 4) wxyz, any length.
        groups: (N,) Gaussians of different groups never overlap; one group if None.
        reach: standard deviations.
    """
    means = np.asarray(means, np.float64)
    groups = np.zeros(len(means), np.int64) if groups is None else groups
    axes = matrices(quats) * (reach * np.asarray(scales, np.float64))[:, None, :]
    covariances = axes @ axes.transpose(0, 2, 1)
    # The smallest are compared as if they were larger, so that cells can be counted.
    smallest = max(float(np.abs(means).max(initial=0.0)) * 2.0**-40, 1e-30)
    radii = reach * np.max(scales, axis=1, initial=0.0)
    levels = np.ceil(np.log2(np.maximum(radii, smallest))).astype(np.int64)
    piece = np.arange(len(means))

    def overlap(first: NDArray[np.int64], second: NDArray[np.int64]) -> None:
        """Join the pieces of pairs (P,) that overlap."""
        nonlocal piece
        apart = np.flatnonzero(piece[first] != piece[second])
        first, second = first[apart], second[apart]
        line = means[second] - means[first]
        distance = np.einsum("pi,pi->p", line, line)
        near = distance <= (radii[first] + radii[second]) ** 2
        near = np.flatnonzero(near & (groups[first] == groups[second]))
        first, second, line, distance = first[near], second[near], line[near], distance[near]
        extent = _extent(covariances, first, line) + _extent(covariances, second, line)
        touch = distance <= extent
        piece = _joined(piece, first[touch], second[touch])

    # From the largest to the smallest: what a large one holds together is one piece by the time
    # the small ones in it are looked at, and need not be compared with each other.
    for level in np.unique(levels)[::-1]:
        smaller = np.flatnonzero(levels <= level)
        cells = np.floor(means[smaller] / 2.0 ** (level + 1)).astype(np.int64)
        keys = _keys(cells, groups[smaller])
        # In each cell the Gaussians of one piece, the largest of all, come first.
        order = np.lexsort((piece[smaller], -np.bincount(piece)[piece[smaller]], keys))
        inside = smaller[order]
        known, starts, counts = np.unique(keys[order], return_index=True, return_counts=True)
        main = piece[inside[starts]]
        in_main = np.add.reduceat((piece[inside] == np.repeat(main, counts)).astype(int), starts)

        large = levels[smaller] == level
        firsts, places = [], []
        for offset in np.ndindex(3, 3, 3):
            wanted = _keys(cells[large] + np.array(offset) - 1, groups[smaller][large])
            place = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
            there = known[place] == wanted
            firsts.append(smaller[large][there])
            places.append(place[there])
        first, place = np.concatenate(firsts), np.concatenate(places)
        for sample in range(_SAMPLES):
            apart = np.flatnonzero(piece[first] != piece[main][place])
            tried = starts[place[apart]] + sample * in_main[place[apart]] // _SAMPLES
            overlap(first[apart], inside[tried])
        skipped = np.where(piece[first] == piece[main][place], in_main[place], 0)
        left = np.flatnonzero(counts[place] > skipped)
        begins, numbers = (starts[place] + skipped)[left], (counts[place] - skipped)[left]
        for rows, entries in _expanded(begins, numbers):
            overlap(first[left[rows]], inside[entries])
    return piece


def _extent(
    covariances: NDArray[np.float64], chosen: NDArray[np.int64], line: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the standard deviations (P,) along lines (P, 3), times the lengths of these."""
    return np.sqrt(np.maximum(np.einsum("pi,pij,pj->p", line, covariances[chosen], line), 0.0))


def _keys(cells: NDArray[np.int64], groups: NDArray[np.integer]) -> NDArray[np.uint64]:
    """Return a number (N,) for each cell (N, 3) and group; two may share one, if rarely."""
    numbers = np.column_stack([cells, groups]).astype(np.uint64)
    factors = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x27D4EB2F165667C5)
    mixed = numbers * np.array(factors, np.uint64)
    return mixed[:, 0] ^ mixed[:, 1] ^ mixed[:, 2] ^ mixed[:, 3]


def _expanded(
    starts: NDArray[np.int64], counts: NDArray[np.int64]
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Yield (row, entry) for every entry from starts[row] on, counts[row] of them, in portions."""
    ends = np.cumsum(counts)
    begin = 0
    while begin < len(counts):
        before = int(ends[begin] - counts[begin])
        end = max(begin + 1, int(np.searchsorted(ends, before + _PAIRS_AT_ONCE, side="right")))
        some = counts[begin:end]
        rows = np.repeat(np.arange(begin, end), some)
        yield (
            rows,
            np.arange(len(rows))
            + np.repeat(starts[begin:end] - (ends[begin:end] - some - before), some),
        )
        begin = end


def _joined(
    piece: NDArray[np.int64], first: NDArray[np.int64], second: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return pieces (N,) once those of each pair are one; every piece goes by its lowest index."""
    while True:
        one, other = piece[first], piece[second]
        if np.array_equal(one, other):
            return piece
        np.minimum.at(piece, np.maximum(one, other), np.minimum(one, other))
        while not np.array_equal(above := piece[piece], piece):
            piece = above
