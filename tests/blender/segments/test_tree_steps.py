# SPDX-License-Identifier: GPL-3.0-or-later
"""What a segment is joined with next, against a walk up the tree from each of its clusters."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("bpy")

from cgc_addon.blender.segments.tree_steps import joined_next
from cgc_addon.cgc.clusters.granularity import MergeTree


def some_tree(count: int, seed: int) -> MergeTree:
    random = np.random.default_rng(seed)
    roots, merges = list(range(1, count + 1)), []
    for _ in range(int(random.integers(0, count))):
        kept, joined = random.choice(roots, 2, replace=False)
        merges.append((kept, joined))
        roots.remove(joined)
    heights = np.sort(random.uniform(0, 1, len(merges)))[::-1]
    return MergeTree(count, np.array(merges, np.int32).reshape(-1, 2), heights.astype(np.float32))


@given(st.integers(2, 9), st.integers(0, 10_000))
def test_it_is_the_rest_of_the_first_node_that_holds_both(count: int, seed: int) -> None:
    tree = some_tree(count, seed)
    random = np.random.default_rng(seed + 1)
    kind = random.integers(0, 3, count + 1)
    own, others = kind == 1, kind == 2
    own[0] = others[0] = False
    expected: list[int] = []
    for made in range(1, len(tree.merges) + 1):
        label = MergeTree(count, tree.merges[:made], tree.heights[:made]).cut(-np.inf)
        mixed = [
            root
            for root in np.unique(label[1:])
            if own[label == root].any() and others[label == root].any()
        ]
        if mixed:
            expected = np.flatnonzero((label == mixed[0]) & others).tolist()
            break
    assert joined_next(tree, own, others).tolist() == expected
