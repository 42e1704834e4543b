# SPDX-License-Identifier: GPL-3.0-or-later
"""Groups on the neighbour graph are those that HDBSCAN finds with all pairs."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse.csgraph import connected_components
from sklearn.cluster import HDBSCAN
from sklearn.metrics import adjusted_rand_score

from cgc_addon.cgc.clusters.density import connected, density_groups, neighbour_graph


def blobs(seed, sizes, spread, dimension=16):
    generator = np.random.default_rng(seed)
    centers = generator.standard_normal((len(sizes), dimension))
    centers /= np.linalg.norm(centers, axis=1, keepdims=True)
    truth = np.repeat(np.arange(len(sizes)), sizes)
    noise = generator.standard_normal((len(truth), dimension)) * generator.exponential(
        spread, (len(truth), 1)
    )
    return (centers[truth] + noise / 4).astype(np.float32), truth


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("spread", [0.02, 0.2, 0.35])
def test_groups_are_those_of_all_pairs(seed, spread):
    points, _ = blobs(seed, (400, 150, 60, 30, 15), spread)
    found = density_groups(points, 10, 5)
    expected = HDBSCAN(min_cluster_size=10, min_samples=5, copy=True).fit_predict(points)
    assert found.max() == expected.max()
    grouped = (expected >= 0) & (found >= 0)
    assert adjusted_rand_score(expected[grouped], found[grouped]) == 1
    assert ((expected >= 0) == (found >= 0)).mean() > 0.95


def test_groups_without_a_path_between_them_are_told_apart():
    points, truth = blobs(1, (200, 100, 50, 25, 20), 0.001)
    components, _ = connected_components(neighbour_graph(points, 8))
    assert components == 5
    assert adjusted_rand_score(truth, density_groups(points, 10, 5)) == 1


def test_equal_points_are_one_group_each():
    points = np.repeat(np.eye(3, 16, dtype=np.float32), 40, axis=0)
    assert adjusted_rand_score(np.repeat([0, 1, 2], 40), density_groups(points, 10, 5)) == 1


@pytest.mark.parametrize("count", [0, 1, 5, 9])
def test_fewer_points_than_a_group_are_noise(count):
    assert density_groups(np.ones((count, 4), np.float32), 10, 5).tolist() == [-1] * count


def test_graph_holds_exact_distances_of_the_nearest():
    points, _ = blobs(2, (60, 30), 0.3)
    graph = neighbour_graph(points, 6).toarray()
    distances = np.linalg.norm(points[:, None].astype(np.float64) - points[None], axis=2)
    np.testing.assert_array_equal(graph > 0, graph.T > 0)
    off = ~np.eye(len(points), dtype=bool)
    np.testing.assert_allclose(graph[(graph > 0) & off], distances[(graph > 0) & off], atol=1e-9)
    nearest = np.argsort(distances, axis=1)[:, 1:7]
    assert (np.take_along_axis(graph, nearest, axis=1) > 0).all()


def test_bridges_join_all_components_and_are_not_shorter_than_the_gap():
    points, truth = blobs(3, (60, 40, 30), 0.001)
    graph = neighbour_graph(points, 5)
    joined = connected(graph, points)
    assert connected_components(joined)[0] == 1
    added = (joined - graph).tocoo()
    assert added.nnz == 6
    for i, j, length in zip(added.row, added.col, added.data, strict=True):
        a, b = points[truth == truth[i]], points[truth == truth[j]]
        gaps = np.linalg.norm(a[:, None].astype(np.float64) - b[None], axis=2)
        assert gaps.min() - 1e-9 <= length <= gaps.min() * 1.05
