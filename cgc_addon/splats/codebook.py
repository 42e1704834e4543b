# SPDX-License-Identifier: GPL-3.0-or-later
"""Few values that stand for many: codebooks of numbers and palettes of vectors, by k-means."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

ROUNDS = 5
"""Of k-means for vectors; more change little."""
NUMBER_ROUNDS = 30
"""Of k-means for numbers, which takes next to nothing."""
SAMPLE = 1 << 14
"""Vectors that the first division is made from."""
BLOCK = 1 << 22
"""Distances held at once."""


def codebook(values: NDArray[np.floating], size: int) -> NDArray[np.float64]:
    """Return numbers (size,), rising, near which all values lie.

    Half of them begin as quantiles and half evenly spread, so that what is rare is near one, too.

    Args:
        values: any shape, one at least.
        size: how many, even.

    Example:
        >>> codebook(np.array([1.0, 1.0, 5.0, 9.0]), 4).tolist()
        [1.0, 1.0, 5.0, 9.0]
    """
    ordered = np.sort(np.asarray(values, np.float64), axis=None)
    half = size // 2
    quantiles = ordered[np.round(np.linspace(0, len(ordered) - 1, half)).astype(np.intp)]
    spread = np.linspace(ordered[0], ordered[-1], size - half)
    centres = np.sort(np.concatenate([quantiles, spread]))
    sums = np.concatenate([[0.0], np.cumsum(ordered)])
    for _ in range(NUMBER_ROUNDS):
        ends = np.searchsorted(ordered, (centres[1:] + centres[:-1]) / 2)
        edges = np.concatenate([[0], ends, [len(ordered)]])
        counts = np.diff(edges)
        means = np.diff(sums[edges]) / np.maximum(counts, 1)
        moved = np.sort(np.where(counts > 0, means, centres))
        if np.array_equal(moved, centres):
            break
        centres = moved
    return centres


def nearest(values: NDArray[np.floating], centres: NDArray[np.floating]) -> NDArray[np.intp]:
    """Return for each value which of the rising centres is nearest, in the values' shape.

    Example:
        >>> nearest(np.array([[0.0, 4.0]]), np.array([1.0, 5.0])).tolist()
        [[0, 1]]
    """
    return np.searchsorted((centres[1:] + centres[:-1]) / 2, values)


def palette(
    vectors: NDArray[np.float32], size: int
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Return vectors that stand for all, and which of them stands for each.

    They are divided into about √size groups, and each group into its share of the palette, so that
    it takes time in proportion to N √size.

    Args:
        vectors: (N, D), N > 0.
        size: of the palette, at most.

    Returns:
        The palette (K, D), K ≤ size, and an index (N,) into it.

    Example:
        >>> entries, index = palette(np.array([[1, 2], [7, 8], [1, 2]], np.float32), 8)
        >>> entries[index].tolist()
        [[1.0, 2.0], [7.0, 8.0], [1.0, 2.0]]
    """
    distinct, inverse = np.unique(vectors, axis=0, return_inverse=True)
    inverse = inverse.reshape(-1)
    if len(distinct) <= size:
        return distinct, inverse.astype(np.int32)
    generator = np.random.default_rng(0)
    sample = distinct
    if len(distinct) > SAMPLE:
        sample = distinct[generator.choice(len(distinct), SAMPLE, replace=False)]
    tops = _k_means(sample, round(size**0.5), generator)
    groups = _assigned(distinct, tops)
    order = np.argsort(groups, kind="stable")
    counts = np.bincount(groups, minlength=len(tops))
    shares = _shares(counts, size)
    index = np.empty(len(distinct), np.int32)
    entries: list[NDArray[np.float32]] = []
    made, start = 0, 0
    for count, share in zip(counts, shares, strict=True):
        members = order[start : start + count]
        start += count
        if count == 0:
            continue
        own = distinct[members]
        centres = own if count <= share else _k_means(own, share, generator)
        index[members] = made + _assigned(own, centres)
        entries.append(centres)
        made += len(centres)
    return np.concatenate(entries), index[inverse]


def _shares(counts: NDArray[np.intp], size: int) -> NDArray[np.intp]:
    """Return how many entries each group gets, by its members: one at least, `size` at most."""
    present = counts > 0
    spare = size - int(present.sum())
    return np.where(present, 1 + np.floor(counts / counts.sum() * spare), 0).astype(np.intp)


def _k_means(
    vectors: NDArray[np.float32], size: int, generator: np.random.Generator
) -> NDArray[np.float32]:
    """Return centres (size, D) of vectors (N, D), N ≥ size."""
    centres = vectors[np.sort(generator.choice(len(vectors), size, replace=False))]
    for _ in range(ROUNDS):
        index = _assigned(vectors, centres)
        order = np.argsort(index, kind="stable")
        counts = np.bincount(index, minlength=size)
        filled = counts > 0
        starts = np.concatenate([[0], np.cumsum(counts)[:-1]])[filled]
        sums = np.add.reduceat(vectors[order], starts, axis=0)
        centres[filled] = sums / counts[filled][:, None].astype(np.float32)
    return centres


def _assigned(vectors: NDArray[np.float32], centres: NDArray[np.float32]) -> NDArray[np.intp]:
    """Return for each vector (N, D) which of the centres (K, D) is nearest."""
    halves = (centres**2).sum(axis=1) / 2
    result = np.empty(len(vectors), np.intp)
    step = max(1, BLOCK // len(centres))
    for start in range(0, len(vectors), step):
        part = vectors[start : start + step]
        result[start : start + step] = np.argmax(part @ centres.T - halves, axis=1)
    return result
