# SPDX-License-Identifier: GPL-3.0-or-later
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cgc_addon.reconstruction.colmap.pairs import (
    BLOCK,
    NEIGHBOURS,
    exhaustive_pairs,
    in_blocks,
    lookalike_pairs,
    sequential_pairs,
    signatures,
)

counts = st.integers(0, 60)


@given(counts)
def test_all_pairs_once(count):
    pairs = exhaustive_pairs(count)
    assert len(pairs) == len(set(pairs)) == count * (count - 1) // 2
    assert all(0 <= i < j < count for i, j in pairs)


@given(st.integers(0, 300))
def test_sequential_pairs_are_few_and_hold_all_neighbours(count):
    pairs = sequential_pairs(count)
    assert len(pairs) == len(set(pairs))
    assert all(0 <= i < j < count for i, j in pairs)
    near = {(i, j) for i, j in exhaustive_pairs(count) if j - i <= NEIGHBOURS}
    assert near <= set(pairs)
    assert len(pairs) <= count * (NEIGHBOURS + 6)


@given(count=counts, keep=st.floats(0.0, 1.0), seed=st.integers(0, 9))
def test_blocks_hold_each_pair_once_and_touch_few_photos(count, keep, seed):
    random = np.random.default_rng(seed)
    pairs = [pair for pair in exhaustive_pairs(count) if random.random() < keep]
    blocks = in_blocks([*pairs, *pairs[:5]])
    assert sorted(pair for block in blocks for pair in block) == pairs
    assert all(len({photo for pair in block for photo in pair}) <= 2 * BLOCK for block in blocks)


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
