# SPDX-License-Identifier: GPL-3.0-or-later
"""Neighbours in space, against SciPy's trees and graphs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from cgc_addon.splats import neighbours
from cgc_addon.splats.neighbours import nearest_within, reachable, typical_spacing


def cloud(count: int, seed: int, spread: float = 1.0) -> np.ndarray:
    """Points of which some are very near each other and some far away."""
    random = np.random.default_rng(seed)
    sizes = np.exp(random.normal(-1.0, 1.5, (count, 1)))
    return (spread * sizes * random.normal(size=(count, 3))).astype(np.float32)


@given(st.integers(0, 10_000), st.floats(0.01, 3.0), st.integers(1, 300), st.integers(0, 100))
def test_the_nearest_is_found(seed: int, distance: float, count: int, asked: int) -> None:
    points, queries = cloud(count, seed), cloud(asked, seed + 1)
    found = nearest_within(points, queries, distance)
    away, expected = cKDTree(points.astype(np.float64)).query(queries.astype(np.float64))
    near = away <= distance
    sure = np.abs(away - distance) > 1e-6
    assert ((found >= 0) == near)[sure].all()
    hits = found >= 0
    reached = np.linalg.norm(points[found[hits]].astype(np.float64) - queries[hits], axis=1)
    assert np.allclose(reached, away[hits], rtol=1e-6)
    assert (found[hits] == expected[hits]).mean() > 0.99 if hits.any() else True


def test_in_parts_it_is_the_same(monkeypatch) -> None:
    points, queries = cloud(400, 1), cloud(300, 2)
    whole = nearest_within(points, queries, 0.5)
    monkeypatch.setattr(neighbours, "_AT_ONCE", 7)
    assert np.array_equal(nearest_within(points, queries, 0.5), whole)


@pytest.mark.parametrize("distance", [0.05, 0.3, 1.0])
def test_what_is_reached_lies_between_two_graphs(distance: float) -> None:
    points = cloud(600, 3)
    found = reachable(points, np.array([5, 80]), distance)
    tree = cKDTree(points.astype(np.float64))
    least, most = (
        connected_components(tree.sparse_distance_matrix(tree, factor * distance))[1]
        for factor in (1.0, 3.5)
    )
    assert found[np.isin(least, least[[5, 80]])].all()
    assert not found[~np.isin(most, most[[5, 80]])].any()


def test_spacing_is_that_of_most_points() -> None:
    steps = np.arange(40)
    plane = np.stack(np.meshgrid(steps, steps), -1).reshape(-1, 2) * 0.2
    points = np.column_stack([plane, np.zeros(len(plane))])
    far = np.concatenate([points, [[1e4, 0, 0]]])
    for shown in (points, far):
        assert 0.2 <= typical_spacing(shown) < 0.45
    assert typical_spacing(3.0 * points) == pytest.approx(3.0 * typical_spacing(points), rel=0.1)


def test_nothing_has_no_neighbours() -> None:
    nothing = np.zeros((0, 3), np.float32)
    assert nearest_within(nothing, cloud(3, 0), 1.0).tolist() == [-1, -1, -1]
    assert nearest_within(cloud(3, 0), nothing, 1.0).shape == (0,)
    assert reachable(nothing, np.zeros(0, int), 1.0).shape == (0,)
    assert typical_spacing(nothing) == typical_spacing(cloud(1, 0)) == 0.0
    same = np.ones((4, 3), np.float32)
    assert reachable(same, np.array([0]), 1.0).all()
    assert nearest_within(same, same, 1.0).tolist() == [0, 0, 0, 0]
