# SPDX-License-Identifier: GPL-3.0-or-later
"""Which photos are compared where not all are: neighbours in order, and those that look alike."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....progress import Progress, Reporter
from ..database import largest_features
from ..pairs import Pair, sequential_pairs

STAGE = "Looking for similar photos"
LOOKALIKES = 12
"""Photos compared because they look alike: where a path crosses itself, or order tells nothing."""
_COMPARED_FEATURES = 400
"""Of each photo, for telling which photos look alike."""
_WORDS = 64
_SAMPLES = 20_000
_ROUNDS = 12


def choose(*, database: str, files: list[str], seed: int, report: Reporter) -> dict[str, Any]:
    """Return under "pairs" which photos are compared where not all are: positions in `files`.

    Args:
        database: file with the features.
        files: names of the photos, in order.
        seed: of the clustering of features.
        report: takes progress.
    """
    report(Progress(STAGE, 0, 1))
    features = largest_features(Path(database), files, _COMPARED_FEATURES)
    vectors = signatures([one.descriptors for one in features], seed)
    pairs = {*sequential_pairs(len(files)), *lookalike_pairs(vectors)}
    report(Progress(STAGE, 1, 1))
    return {"pairs": sorted(pairs)}


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
