# SPDX-License-Identifier: GPL-3.0-or-later
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from cgc_addon.reconstruction.colmap.pairs import (
    BLOCK,
    NEIGHBOURS,
    exhaustive_pairs,
    in_blocks,
    sequential_pairs,
)

counts = st.integers(0, 60)


@settings(deadline=None)
@given(counts)
def test_all_pairs_once(count):
    pairs = exhaustive_pairs(count)
    assert len(pairs) == len(set(pairs)) == count * (count - 1) // 2
    assert all(0 <= i < j < count for i, j in pairs)


@settings(deadline=None)
@given(st.integers(0, 300))
def test_sequential_pairs_are_few_and_hold_all_neighbours(count):
    pairs = sequential_pairs(count)
    assert len(pairs) == len(set(pairs))
    assert all(0 <= i < j < count for i, j in pairs)
    near = {(i, j) for i, j in exhaustive_pairs(count) if j - i <= NEIGHBOURS}
    assert near <= set(pairs)
    assert len(pairs) <= count * (NEIGHBOURS + 6)


@settings(deadline=None)
@given(count=counts, keep=st.floats(0.0, 1.0), seed=st.integers(0, 9))
def test_blocks_hold_each_pair_once_and_touch_few_photos(count, keep, seed):
    random = np.random.default_rng(seed)
    pairs = [pair for pair in exhaustive_pairs(count) if random.random() < keep]
    blocks = in_blocks([*pairs, *pairs[:5]])
    assert sorted(pair for block in blocks for pair in block) == pairs
    assert all(len({photo for pair in block for photo in pair}) <= 2 * BLOCK for block in blocks)
