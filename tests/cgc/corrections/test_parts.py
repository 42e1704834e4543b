# SPDX-License-Identifier: GPL-3.0-or-later
"""A click takes the part that the tree has there, and no crumb."""

from __future__ import annotations

import numpy as np

from cgc_addon.cgc.clusters.granularity import MergeTree
from cgc_addon.cgc.corrections.parts import part_of


def tree(count: int, *merges: tuple[int, int]) -> MergeTree:
    heights = np.linspace(0.9, 0.1, len(merges)).astype(np.float32)
    return MergeTree(count, np.array(merges, np.int32).reshape(-1, 2), heights)


def parts_at(found: MergeTree, sizes: dict[int, int], cluster: int) -> list[int] | None:
    clusters = np.repeat(list(sizes), list(sizes.values()))
    part = part_of(found, clusters, cluster)
    return None if part is None else np.unique(clusters[part]).tolist()


def test_the_last_merge_is_undone_first():
    made = tree(4, (1, 2), (3, 4), (1, 3))
    sizes = dict.fromkeys((1, 2, 3, 4), 50)
    assert parts_at(made, sizes, 2) == [1, 2]
    assert parts_at(made, sizes, 3) == [3, 4]


def test_where_only_crumbs_would_be_left_it_goes_further_down():
    made = tree(4, (1, 2), (1, 3), (1, 4))
    assert parts_at(made, {1: 500, 2: 500, 3: 10, 4: 5}, 1) == [1]


def test_a_small_thing_is_a_part_though_the_rest_is_large():
    made = tree(3, (1, 2), (1, 3))
    assert parts_at(made, {1: 900, 2: 900, 3: 12}, 3) == [3]


def test_what_is_too_small_or_all_there_is_no_part():
    made = tree(3, (1, 2), (1, 3))
    assert parts_at(made, {1: 900, 2: 900, 3: 4}, 3) is None
    assert parts_at(made, {1: 900}, 1) is None


def test_objects_that_the_tree_never_joins_fall_apart_into_what_it_joins():
    made = tree(4, (1, 2))
    assert parts_at(made, dict.fromkeys((1, 2, 4), 50), 4) == [4]
    assert parts_at(made, dict.fromkeys((1, 2, 4), 50), 1) == [1, 2]
