# SPDX-License-Identifier: GPL-3.0-or-later
"""Groups of directions are found again, noise is left out, and a sample does for many points."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from cgc_addon.cgc.clusters.clustering import (
    assign,
    cluster_features,
    mean_directions,
)
from cgc_addon.cgc.directions import unit
from cgc_addon.cgc.settings import ClusteringSettings
from cgc_addon.errors import Interrupted


def groups(seed=0, sizes=(300, 80, 40, 20), spread=0.1, dimension=16):
    generator = np.random.default_rng(seed)
    centers = np.linalg.qr(generator.standard_normal((dimension, dimension)))[0][: len(sizes)]
    truth = np.repeat(np.arange(1, len(sizes) + 1), sizes)
    noise = spread * generator.standard_normal((len(truth), dimension)) / np.sqrt(dimension)
    lengths = generator.uniform(0.1, 30, (len(truth), 1))
    return ((centers[truth - 1] + noise) * lengths).astype(np.float32), truth


def test_groups_of_any_size_are_found_and_lengths_do_not_matter():
    features, truth = groups()
    found = cluster_features(features, np.full(len(truth), 10.0))
    assert adjusted_rand_score(truth, found.labels) == 1
    assert found.prototypes.shape == (4, 16)
    np.testing.assert_allclose(np.linalg.norm(found.prototypes, axis=1), 1, atol=1e-5)


def test_what_is_far_from_every_prototype_belongs_to_none():
    features, truth = groups()
    generator = np.random.default_rng(1)
    stray = generator.standard_normal((30, 16)).astype(np.float32)
    everything = np.concatenate([features, stray, np.zeros((5, 16), np.float32)])
    weights = np.concatenate([np.full(len(truth), 10.0), np.zeros(35)])
    found = cluster_features(everything, weights)
    best = (unit(stray) @ found.prototypes.T).max(1)
    np.testing.assert_array_equal(found.labels[len(truth) : -5] > 0, best >= 0.5)
    assert not found.labels[-5:].any()
    assert (best < 0.5).sum() > 5


def test_gaussians_hardly_seen_do_not_form_groups_but_join_them():
    features, truth = groups(sizes=(100, 100, 100))
    weights = np.where(truth == 3, 1.0, 10.0)
    weights[:50] = 0.5
    found = cluster_features(features, weights)
    assert len(found.prototypes) == 2
    assert (found.labels[:50] == found.labels[50]).all()
    assert not found.labels[truth == 3].any()


def test_a_sample_finds_the_groups_of_all():
    features, truth = groups(sizes=(2000, 900, 300))
    settings = ClusteringSettings(maximum_points=600)
    found = cluster_features(features, np.full(len(truth), 10.0), settings)
    assert adjusted_rand_score(truth, found.labels) == 1
    again = cluster_features(features, np.full(len(truth), 10.0), settings)
    np.testing.assert_array_equal(found.labels, again.labels)


def test_assignment_in_blocks_equals_brute_force(monkeypatch):
    monkeypatch.setattr("cgc_addon.cgc.clusters.clustering._ROWS_AT_ONCE", 37)
    generator = np.random.default_rng(2)
    features = generator.standard_normal((200, 16))
    prototypes = unit(generator.standard_normal((9, 16)))
    found = assign(features, prototypes, minimum_cosine=0.3)
    cosines = features @ prototypes.T / np.linalg.norm(features, axis=1, keepdims=True)
    np.testing.assert_allclose(found.cosines, cosines.max(1), atol=1e-5)
    expected = np.where(cosines.max(1) >= 0.3, cosines.argmax(1) + 1, 0)
    np.testing.assert_array_equal(found.labels, expected)


def test_prototypes_leave_noise_out():
    directions = unit(np.array([[1.0, 0], [0, 1], [1, 1], [-1, 0]]))
    found = mean_directions(directions, np.array([0, 0, 1, -1]))
    np.testing.assert_allclose(found, unit(np.array([[1.0, 1], [1, 1]])), atol=1e-6)


@pytest.mark.parametrize("count", [0, 1, 19])
def test_too_few_gaussians_make_no_groups(count):
    found = cluster_features(np.ones((count, 16), np.float32), np.full(count, 10.0))
    assert found.labels.shape == (count,)
    assert not found.labels.any()
    assert len(found.prototypes) == 0


def test_all_noise_makes_no_groups():
    generator = np.random.default_rng(0)
    features = generator.standard_normal((60, 16)).astype(np.float32)
    found = cluster_features(features, np.full(60, 10.0), ClusteringSettings(30))
    assert not found.labels.any()


def test_it_stops_when_asked():
    features, truth = groups()
    with pytest.raises(Interrupted):
        cluster_features(features, np.full(len(truth), 10.0), should_stop=lambda: True)
