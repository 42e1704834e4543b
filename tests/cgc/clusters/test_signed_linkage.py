# SPDX-License-Identifier: GPL-3.0-or-later
"""Average linkage of signed evidence, against SciPy's and against its definition."""

from __future__ import annotations

import numpy as np
import pytest

from cgc_addon.cgc.clusters.signed_linkage import signed_linkage


@pytest.mark.parametrize("seed", range(5))
def test_where_all_touch_and_count_the_same_it_is_scipys_average_linkage(seed) -> None:
    from scipy.cluster.hierarchy import linkage
    from scipy.spatial.distance import squareform

    generator = np.random.default_rng(seed)
    evidence = generator.normal(size=(12, 12))
    evidence += evidence.T
    np.fill_diagonal(evidence, 0)
    found = signed_linkage(evidence, np.ones((12, 12)), np.full((12, 12), 9))
    distances = 10 - evidence
    np.fill_diagonal(distances, 0)
    expected = linkage(squareform(distances), "average")
    assert found.weights == pytest.approx(10 - expected[:, 2])


def test_only_what_touches_is_merged() -> None:
    touching = np.array([[0, 5, 0, 0], [5, 0, 0, 0], [0, 0, 0, 1], [0, 0, 1, 0]])
    found = signed_linkage(np.ones((4, 4)), np.ones((4, 4)), touching)
    assert found.merges.tolist() == [[1, 2]]  # one contact is none


def test_important_pairs_count_more() -> None:
    evidence = np.array([[0, 9, 3], [9, 0, -1], [3, -1, 0.0]])
    importance = np.array([[0, 1, 3], [1, 0, 1], [3, 1, 0.0]])
    found = signed_linkage(evidence, importance, np.full((3, 3), 4))
    assert found.weights.tolist() == [9, 2]  # (3 · 3 − 1 · 1) / 4


def test_nothing_at_all() -> None:
    nothing = np.zeros((0, 0))
    assert len(signed_linkage(nothing, nothing, nothing.astype(int)).merges) == 0
