# SPDX-License-Identifier: GPL-3.0-or-later
"""Which photos are compared: all with all, or those near each other and those that look alike."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

BLOCK = 8
"""Photos a side of a block of pairs: each photo of a block is read and indexed once."""
NEIGHBOURS = 10
"""Photos that follow in order, each of which is compared."""
LOOKALIKES = 12
"""Photos compared because they look alike: where a path crosses itself, or order tells nothing."""
_WORDS = 64
_SAMPLES = 20_000
_ROUNDS = 12

Pair = tuple[int, int]
"""Positions in order, the smaller first."""


def exhaustive_pairs(count: int) -> list[Pair]:
    """Return all pairs of `count` photos."""
    return [(i, j) for i in range(count) for j in range(i + 1, count)]


def sequential_pairs(count: int) -> list[Pair]:
    """Return pairs of photos that are near each other in order, or a power of two apart."""
    distances = [*range(1, NEIGHBOURS + 1)]
    step = 1 << NEIGHBOURS.bit_length()
    while step < count:
        distances.append(step)
        step *= 2
    return [(i, i + d) for d in distances for i in range(count - d)]


def lookalike_pairs(signatures: NDArray[np.float32], most: int = LOOKALIKES) -> list[Pair]:
    """Return pairs of photos with each photo's most similar ones.

    Args:
        signatures: (N, D) unit vectors, or zeros for photos without features.
        most: similar photos for each.
    """
    similarity = signatures @ signatures.T
    np.fill_diagonal(similarity, -np.inf)
    blank = ~signatures.any(axis=1)
    similarity[blank] = -np.inf
    similarity[:, blank] = -np.inf
    most = min(most, len(signatures) - 1)
    nearest = np.argsort(-similarity, axis=1, kind="stable")[:, :most]
    pairs = {
        (min(i, int(j)), max(i, int(j)))
        for i in range(len(signatures))
        for j in nearest[i]
        if np.isfinite(similarity[i, j])
    }
    return sorted(pairs)


def signatures(descriptors: Sequence[NDArray[np.uint8]], seed: int) -> NDArray[np.float32]:
    """Return one vector for each photo that is alike for photos of the same things (VLAD).

    Args:
        descriptors: (F, 128) of each photo; F may be 0.
        seed: of the clustering.

    Returns:
        (N, D) unit vectors; zeros for photos without features.
    """
    sets = [np.sqrt(one.astype(np.float32)) for one in descriptors]
    everything = np.concatenate(sets)
    if not len(everything):
        return np.zeros((len(sets), 1), np.float32)
    words = _cluster(everything, seed)
    vectors = np.zeros((len(sets), *words.shape), np.float32)
    for vector, one in zip(vectors, sets, strict=True):
        nearest = _nearest(one, words)
        np.add.at(vector, nearest, one - words[nearest])
    norms = np.linalg.norm(vectors, axis=2, keepdims=True)
    flat = (vectors / np.maximum(norms, 1e-12)).reshape(len(sets), -1)
    return flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-12)


def _cluster(everything: NDArray[np.float32], seed: int) -> NDArray[np.float32]:
    """Return up to 64 centres (W, D) of descriptors (N, D); k-means, good enough for words."""
    random = np.random.default_rng(seed)
    chosen = random.permutation(len(everything))[:_SAMPLES]
    samples = everything[chosen]
    centres = samples[:_WORDS].copy()
    for _round in range(_ROUNDS):
        nearest = _nearest(samples, centres)
        counts = np.bincount(nearest, minlength=len(centres))
        sums = np.zeros(centres.shape, np.float64)
        np.add.at(sums, nearest, samples)
        used = counts > 0
        centres[used] = sums[used] / counts[used, None]
    return centres


def _nearest(vectors: NDArray[np.float32], centres: NDArray[np.float32]) -> NDArray[np.int64]:
    distances = (centres**2).sum(axis=1) - 2.0 * vectors @ centres.T  # without |vectors|²
    return distances.argmin(axis=1)


def in_blocks(pairs: Sequence[Pair]) -> list[list[Pair]]:
    """Return the pairs in blocks of few photos each, in an order that depends on nothing else."""
    blocks: dict[Pair, list[Pair]] = {}
    for i, j in sorted(set(pairs)):
        blocks.setdefault((i // BLOCK, j // BLOCK), []).append((i, j))
    return [blocks[key] for key in sorted(blocks)]
