# SPDX-License-Identifier: GPL-3.0-or-later
"""Masks correct Gaussians that are in the wrong segment, and say how sure they are of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cgc_addon.cgc.clusters.clustering import Clustering
from cgc_addon.cgc.directions import unit
from cgc_addon.cgc.exact_labels import exact_labels
from cgc_addon.cgc.observations import Observation
from cgc_addon.cgc.voting import EVIDENT_VIEWS, Votes, move_between_groups, vote_segments
from cgc_addon.errors import Interrupted


@pytest.mark.parametrize("table_size", [50, 1_000_000])
def test_votes_are_those_of_the_formula(capture, table_size, monkeypatch):
    monkeypatch.setattr("cgc_addon.cgc.mask_votes._TABLE_SIZE", table_size)
    observations = capture.observations(mess=0.3)[:5]
    generator = np.random.default_rng(0)
    given = np.where(
        generator.random(len(capture.truth)) < 0.2,
        generator.integers(0, 7, len(capture.truth)),
        capture.truth,
    ).astype(np.int32)
    votes, views = np.zeros((len(given), 7)), np.zeros((len(given), 7), int)
    for observation in observations:
        shown = observation.blending.strongest_labels(given)
        shares = {
            label: np.bincount(shown[observation.labels == label], minlength=7)
            / (observation.labels == label).sum()
            for label in np.unique(observation.labels)
            if label > 0
        }
        starts = observation.blending.starts
        before = votes.copy()
        for pixel, label in enumerate(observation.labels):
            if label > 0:
                members = slice(starts[pixel], starts[pixel + 1])
                np.add.at(
                    votes,
                    observation.blending.gaussians[members],
                    observation.blending.weights[members][:, None] * shares[label],
                )
        views += votes - before >= 0.05
    found = vote_segments(observations, given)
    voted = found.segments
    margin = np.sort(votes, 1)[:, -1] - np.sort(votes, 1)[:, -2]
    clear = margin > 1e-3
    np.testing.assert_array_equal(voted[clear], votes.argmax(1)[clear])
    silent = votes.sum(1) == 0
    np.testing.assert_array_equal(voted[silent], given[silent])
    np.testing.assert_array_equal(
        found.views[clear], views[np.arange(len(views)), votes.argmax(1)][clear]
    )
    assert not found.views[silent].any()


def test_voting_corrects_wrong_gaussians(capture):
    observations = capture.observations()
    exact = exact_labels(capture.exact_observations())
    seen = exact == capture.truth
    wrong = np.random.default_rng(1).random(len(exact)) < 0.15
    given = np.where(wrong, 1 + capture.truth % 6, capture.truth).astype(np.int32)
    voted = vote_segments(observations, given).segments
    before = (given[seen] == capture.truth[seen]).mean()
    after = (voted[seen] == capture.truth[seen]).mean()
    assert before < 0.9
    assert after > 0.97


def test_unlabelled_pixels_do_not_vote(capture):
    observations = [
        Observation(one.blending, np.zeros_like(one.labels)) for one in capture.observations()
    ]
    voted = vote_segments(observations, capture.truth)
    np.testing.assert_array_equal(voted.segments, capture.truth)
    assert not voted.views.any()


def test_what_one_view_shows_in_the_mask_of_an_object_is_no_part_of_it(capture):
    """It has the object's colour and lies in its mask there, however far behind it floats."""
    ball = np.flatnonzero(capture.truth == 1)
    floating = ball[-5:]
    observations = capture.observations()
    shown = [np.isin(one.blending.gaussians, floating).any() for one in observations]
    first = int(np.argmax(shown))
    once = []
    for number, one in enumerate(observations):
        matrix = one.blending
        hidden = np.isin(matrix.gaussians, floating) & (number != first)
        weights = np.where(hidden, 0, matrix.weights).astype(np.float32)
        once.append(replace(one, blending=replace(matrix, weights=weights)))
    votes = vote_segments(once, capture.truth)
    assert (votes.segments[floating] == 1).sum() >= 3
    assert (votes.views[floating] <= 1).all()
    proven = votes.proven()
    assert (proven[floating] == 0).all()
    others = np.setdiff1d(ball, floating)
    assert (proven[others] == votes.segments[others]).mean() > 0.9


def test_what_few_views_show_as_a_whole_keeps_its_gaussians(capture):
    """A wall that two photos show, or a scene of which only one photo has masks."""
    votes = vote_segments(capture.observations()[:1], capture.truth)
    seen = votes.views > 0
    np.testing.assert_array_equal(votes.proven()[seen], votes.segments[seen])
    assert (votes.proven()[~seen] == 0).all()


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 60)), max_size=40))
def test_evidence_is_asked_for_in_proportion(gaussians):
    segments, views = np.array(gaussians, np.int32).reshape(-1, 2).T
    votes = Votes(segments, views)
    proven = votes.proven()
    required = votes.required_views()
    assert required[0] == 0
    assert ((required[1:] >= 1) & (required[1:] <= EVIDENT_VIEWS)).all()
    assert ((proven == segments) | (proven == 0)).all()
    for segment in np.unique(segments[segments > 0]):
        mine = segments == segment
        kept = mine & (proven > 0)
        if views[mine].any():  # the middle one of those seen has evidence enough
            middle = np.median(views[mine & (views > 0)])
            assert (proven[mine & (views >= middle)] == segment).all()
        assert views[kept].min(initial=99) >= 1


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
