# SPDX-License-Identifier: GPL-3.0-or-later
"""Photos of the same things are compared, wherever they stand in order."""

from __future__ import annotations

import numpy as np

from cgc_addon.reconstruction.colmap.child.pairing import lookalike_pairs, signatures
from cgc_addon.reconstruction.colmap.process import run_stage

from ..conftest import FILES


def test_similar_photos_are_paired_where_not_all_are_tried(copy):
    arguments = {"database": str(copy / "database.db"), "files": list(FILES), "seed": 0}
    pairs = run_stage("pairs", arguments, copy / "log.txt")["pairs"]
    assert [0, 1] in pairs
    assert all(0 <= i < j < 4 for i, j in pairs)


def places(photos: list[int], per_photo: int = 200) -> list[np.ndarray]:
    """Descriptors of photos that are taken at numbered places, each with things of its own."""
    random = np.random.default_rng(0)
    things = random.integers(0, 255, (max(photos) + 1, 40, 128))
    found = []
    for place in photos:
        seen = things[place][random.integers(0, 40, per_photo)]
        found.append(np.clip(seen + random.normal(0, 12, seen.shape), 0, 255).astype(np.uint8))
    return found


def test_a_path_that_comes_back_is_closed():
    path = [0, 1, 2, 3, 4, 5, 6, 7, 0, 1]
    vectors = signatures(places(path), seed=0)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, rtol=1e-5)
    pairs = lookalike_pairs(vectors, most=1)
    assert {(0, 8), (1, 9)} <= set(pairs)
    np.testing.assert_array_equal(vectors, signatures(places(path), seed=0))


def test_photos_without_features_are_alike_to_none():
    descriptors = [*places([0, 0, 1]), np.zeros((0, 128), np.uint8)]
    pairs = lookalike_pairs(signatures(descriptors, seed=0), most=3)
    assert pairs == [(0, 1), (0, 2), (1, 2)]
    empty = [np.zeros((0, 128), np.uint8)] * 3
    assert lookalike_pairs(signatures(empty, seed=0)) == []
