# SPDX-License-Identifier: GPL-3.0-or-later
import numpy as np
import pytest

from cgc_addon.cgc.clusters.clustering import Clustering
from cgc_addon.cgc.clusters.splitting import split_groups
from cgc_addon.cgc.features.spectral import spectral_signatures


@pytest.fixture(scope="module")
def observations(capture):
    return capture.observations(mess=0.3)


def grouped(capture, labels):
    count = int(labels.max())
    features = np.eye(16, dtype=np.float32)[labels]
    return Clustering(
        labels.astype(np.int32), np.eye(16, dtype=np.float32)[1 : count + 1], np.ones(len(labels))
    ), features


def split(capture, observations, labels):
    clustering, features = grouped(capture, labels)
    return split_groups(clustering, observations, features, spectral_signatures(observations))


def test_two_things_in_one_group_are_taken_apart(capture, observations):
    mixed = np.where(capture.truth == 2, 1, capture.truth)
    mixed = np.unique(mixed, return_inverse=True)[1] + 1
    after = split(capture, observations, mixed)
    assert len(after.prototypes) == mixed.max() + 1
    for thing in (1, 2):
        own = after.labels[capture.truth == thing]
        assert np.bincount(own).max() > 0.9 * len(own)
    first, second = (np.bincount(after.labels[capture.truth == k]).argmax() for k in (1, 2))
    assert first != second


def test_one_thing_stays_one_group(capture, observations):
    after = split(capture, observations, capture.truth)
    np.testing.assert_array_equal(after.labels, capture.truth)


def test_everything_in_one_group_comes_apart_in_rounds(capture, observations):
    after = split(capture, observations, np.ones(len(capture.truth), np.int32))
    assert len(after.prototypes) >= 3
    np.testing.assert_allclose(np.linalg.norm(after.prototypes, axis=1), 1, atol=1e-5)


def test_no_groups_are_no_trouble(capture, observations):
    nothing = Clustering(
        np.zeros(len(capture.truth), np.int32),
        np.zeros((0, 16), np.float32),
        np.full(len(capture.truth), -1.0, np.float32),
    )
    features = np.zeros((len(capture.truth), 16), np.float32)
    after = split_groups(nothing, observations, features, spectral_signatures(observations))
    assert not after.labels.any()
