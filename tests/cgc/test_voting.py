# SPDX-License-Identifier: GPL-3.0-or-later
"""Masks correct Gaussians that are in the wrong segment, and leave those without a vote alone."""

from __future__ import annotations

import numpy as np
import pytest

from cgc_addon.cgc.clusters.clustering import Clustering
from cgc_addon.cgc.directions import unit
from cgc_addon.cgc.exact_labels import exact_labels
from cgc_addon.cgc.observations import Observation
from cgc_addon.cgc.voting import move_between_groups, vote_segments
from cgc_addon.errors import Interrupted


@pytest.mark.parametrize("at_once", [2, 16])
def test_votes_are_those_of_the_formula(capture, at_once, monkeypatch):
    monkeypatch.setattr("cgc_addon.cgc.voting._SEGMENTS_AT_ONCE", at_once)
    observations = capture.observations(mess=0.3)[:5]
    generator = np.random.default_rng(0)
    given = np.where(
        generator.random(len(capture.truth)) < 0.2,
        generator.integers(0, 7, len(capture.truth)),
        capture.truth,
    ).astype(np.int32)
    votes = np.zeros((len(given), 7))
    for observation in observations:
        shown = observation.blending.strongest_labels(given)
        shares = {
            label: np.bincount(shown[observation.labels == label], minlength=7)
            / (observation.labels == label).sum()
            for label in np.unique(observation.labels)
            if label > 0
        }
        starts = observation.blending.starts
        for pixel, label in enumerate(observation.labels):
            if label > 0:
                members = slice(starts[pixel], starts[pixel + 1])
                np.add.at(
                    votes,
                    observation.blending.gaussians[members],
                    observation.blending.weights[members][:, None] * shares[label],
                )
    voted = vote_segments(observations, given)
    margin = np.sort(votes, 1)[:, -1] - np.sort(votes, 1)[:, -2]
    clear = margin > 1e-3
    np.testing.assert_array_equal(voted[clear], votes.argmax(1)[clear])
    silent = votes.sum(1) == 0
    np.testing.assert_array_equal(voted[silent], given[silent])


def test_voting_corrects_wrong_gaussians(capture):
    observations = capture.observations()
    exact = exact_labels(capture.exact_observations())
    seen = exact == capture.truth
    wrong = np.random.default_rng(1).random(len(exact)) < 0.15
    given = np.where(wrong, 1 + capture.truth % 6, capture.truth).astype(np.int32)
    voted = vote_segments(observations, given)
    before = (given[seen] == capture.truth[seen]).mean()
    after = (voted[seen] == capture.truth[seen]).mean()
    assert before < 0.9
    assert after > 0.97


def test_unlabelled_pixels_do_not_vote(capture):
    observations = [
        Observation(one.blending, np.zeros_like(one.labels)) for one in capture.observations()
    ]
    np.testing.assert_array_equal(vote_segments(observations, capture.truth), capture.truth)


def test_it_stops_when_asked(capture):
    with pytest.raises(Interrupted):
        vote_segments(capture.observations(), capture.truth, should_stop=lambda: True)


def test_gaussians_move_to_the_nearest_group_of_the_voted_segment():
    prototypes = unit(np.eye(4, 4))
    features = np.array([[1, 0, 0, 0.0], [1, 0, 0.5, 0.4], [0, 1, 0, 0], [0, 0, 1, 0]])
    clustering = Clustering(np.array([1, 1, 2, 3], np.int32), prototypes, np.ones(4, np.float32))
    segment_of_group = np.array([0, 1, 1, 3, 3], np.int32)
    voted = np.array([1, 3, 0, 3], np.int32)
    moved = move_between_groups(clustering, features, segment_of_group, voted)
    assert moved.tolist() == [1, 3, 0, 3]
    np.testing.assert_array_equal(segment_of_group[moved], voted)
    assert clustering.labels.tolist() == [1, 1, 2, 3]
