# SPDX-License-Identifier: GPL-3.0-or-later
"""A granularity is a cut through the merge tree, and what comes out is numbered by size."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cgc_addon.cgc.clusters.granularity import MergeTree, merge_threshold, ordered_by_size
from cgc_addon.splats.gaussians import Gaussians

CLUSTERS = np.repeat(np.arange(7, dtype=np.int32), (7, 40, 30, 20, 15, 12, 5))
TREE = MergeTree(
    6, np.array([[1, 2], [3, 4], [1, 3]], np.int32), np.array([0.9, 0.4, 0.2], np.float32)
)


@pytest.mark.parametrize(
    ("granularity", "minimum_size", "sizes"),
    [
        (0.0, 1, [40, 30, 20, 15, 12, 5]),
        (0.0, 13, [40, 30, 20, 15]),
        (0.5, 10, [70, 35, 12]),
        (0.5, 1, [70, 35, 12, 5]),
        (1.0, 10, [105, 12]),
        (1.0, 200, []),
    ],
)
def test_labels_are_the_segments_of_a_cut_the_largest_first(granularity, minimum_size, sizes):
    labels = TREE.labels(CLUSTERS, granularity, minimum_size)
    assert labels.dtype == np.int32
    assert np.bincount(labels)[1:].tolist() == sizes
    assert not labels[CLUSTERS == 0].any()
    joined = ordered_by_size(TREE.cut(merge_threshold(granularity))[CLUSTERS], minimum_size)
    assert np.array_equal(labels, joined)


def test_labels_by_default_are_objects_of_ten_gaussians_and_more():
    assert np.array_equal(TREE.labels(CLUSTERS), TREE.labels(CLUSTERS, 0.5, 10))


def test_what_floats_apart_from_its_segment_becomes_unassigned_at_each_cut():
    """Gaussians between two clusters hang together with them only once these are one segment."""
    places = np.zeros((len(CLUSTERS), 3), np.float32)
    places[CLUSTERS == 2, 0] = 2
    lone = np.flatnonzero(CLUSTERS == 1)[0]
    places[lone, 0] = 2.1
    gaussians = Gaussians(
        means=places,
        log_scales=np.full((len(CLUSTERS), 3), np.log(0.1), np.float32),
        quats=np.tile(np.float32([1, 0, 0, 0]), (len(CLUSTERS), 1)),
        logit_opacities=np.zeros(len(CLUSTERS), np.float32),
        sh=np.zeros((len(CLUSTERS), 1, 3), np.float32),
    )
    parts = TREE.labels(CLUSTERS, 0.0, 1, gaussians=gaussians)
    assert np.bincount(parts)[1:].tolist() == [39, 30, 20, 15, 12, 5]
    assert parts[lone] == 0
    assert TREE.labels(CLUSTERS, 0.5, 1, gaussians=gaussians)[lone] == 1


def test_a_cut_follows_chains_of_merges():
    tree = MergeTree(
        4, np.array([[3, 4], [2, 3], [1, 2]], np.int32), np.array([0.9, 0.5, 0.2], np.float32)
    )
    assert tree.cut(0.6).tolist() == [0, 1, 2, 3, 3]
    assert tree.cut(0.5).tolist() == [0, 1, 2, 2, 2]
    assert tree.cut(0.1).tolist() == [0, 1, 1, 1, 1]


def test_granularity_runs_from_parts_to_whole_objects():
    thresholds = [merge_threshold(g) for g in (0, 0.1, 0.5, 0.9, 1)]
    assert thresholds == sorted(thresholds, reverse=True)
    assert thresholds[0] > 1
    assert 0.25 <= merge_threshold(0.5) <= 0.35
    for wrong in (-0.1, 1.1, float("nan")):
        with pytest.raises(ValueError, match="granularity"):
            merge_threshold(wrong)


@given(
    labels=st.lists(st.integers(0, 9), max_size=60),
    minimum=st.integers(0, 8),
)
@settings(max_examples=80, deadline=None)
def test_ids_go_by_size_without_gaps_and_small_ones_vanish(labels, minimum):
    given_labels = np.array(labels, np.int32)
    ordered = ordered_by_size(given_labels, minimum)
    counts = np.bincount(ordered, minlength=1)[1:]
    assert (counts > 0).all()
    assert (np.diff(counts) <= 0).all()
    assert (counts >= minimum).all()
    assert not ordered[given_labels == 0].any()
    kept = {i for i in labels if i and labels.count(i) >= max(1, minimum)}
    assert len(counts) == len(kept)
    for identifier in kept:
        assert len(np.unique(ordered[given_labels == identifier])) == 1
