# SPDX-License-Identifier: GPL-3.0-or-later
"""Groups merge as a slow average linkage would merge them, and a cut is a prefix of the tree."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from cgc_addon.cgc.clusters.merging import CoOccurrence, co_occurrence, contacts, merge_tree
from cgc_addon.cgc.features.neighbours import nearest_neighbours


def random_groups(seed, count):
    generator = np.random.default_rng(seed)
    evidence = generator.uniform(0, 5, (count, count)) * (generator.random((count, count)) < 0.8)
    evidence = evidence + evidence.T
    q = generator.random((count, count))
    agreement = evidence * (q + q.T) / 2
    touching = generator.integers(0, 4, (count, count))
    return CoOccurrence(agreement, evidence), touching + touching.T


def merged_written_out(occurrence, touching, minimum_contacts=3):
    """Average linkage over sets of groups, every value from the first ones each time."""
    sets = [{i} for i in range(len(touching))]
    merges, height = [], 1.0
    while True:
        best = (0.0, None, None)
        for i in range(len(sets)):
            for j in range(i + 1, len(sets)):
                place = np.ix_(sorted(sets[i]), sorted(sets[j]))
                if touching[place].sum() < minimum_contacts:
                    continue
                evidence = occurrence.evidence[place].sum()
                q = occurrence.agreement[place].sum() / evidence if evidence > 0 else 0.0
                if q > best[0]:
                    best = (q, i, j)
        if best[1] is None:
            return merges
        q, i, j = best
        height = min(height, q)
        merges.append((min(sets[i]) + 1, min(sets[j]) + 1, height))
        sets[i] |= sets.pop(j)
        sets.sort(key=min)


@given(seed=st.integers(0, 10_000), count=st.integers(1, 9))
@settings(max_examples=60, deadline=None)
def test_tree_equals_average_linkage_over_sets(seed, count):
    occurrence, touching = random_groups(seed, count)
    tree = merge_tree(occurrence, touching)
    expected = merged_written_out(occurrence, touching)
    assert [tuple(pair) for pair in tree.merges.tolist()] == [
        (min(a, b), max(a, b)) for a, b, _ in expected
    ]
    np.testing.assert_allclose(tree.heights, [h for *_, h in expected], rtol=1e-5)
    assert (np.diff(tree.heights) <= 0).all()


@given(seed=st.integers(0, 10_000), count=st.integers(1, 12))
@settings(max_examples=40, deadline=None)
def test_lower_thresholds_only_ever_join(seed, count):
    tree = merge_tree(*random_groups(seed, count))
    finer = tree.cut(1.01)
    np.testing.assert_array_equal(finer, np.arange(count + 1))
    for threshold in (0.9, 0.6, 0.3, 0.1, 0.0):
        coarser = tree.cut(threshold)
        assert coarser[0] == 0
        assert (coarser[1:] >= 1).all()
        assert (coarser[finer] == coarser).all()
        made = int((tree.heights >= threshold).sum())
        assert len(np.unique(coarser[1:])) == count - made
        finer = coarser


def test_no_groups_make_an_empty_tree():
    tree = merge_tree(CoOccurrence(np.zeros((0, 0)), np.zeros((0, 0))), np.zeros((0, 0), int))
    assert tree.merges.shape == (0, 2)
    assert tree.cut(0.5).tolist() == [0]


def test_co_occurrence_equals_the_formula(capture):
    observations = capture.observations(mess=0.5)
    labels = np.random.default_rng(0).integers(0, 5, len(capture.means)).astype(np.int32)
    found = co_occurrence(observations, labels, 4)
    agreement, evidence = np.zeros((4, 4)), np.zeros((4, 4))
    for observation in observations:
        shown = observation.blending.strongest_labels(labels)
        masks = sorted(set(observation.labels.tolist()) - {0})
        counts = np.array(
            [[((shown == c) & (observation.labels == m)).sum() for m in masks] for c in range(1, 5)]
        )
        for c in range(4):
            for d in range(4):
                if counts[c].sum() and counts[d].sum():
                    p = counts[c] / counts[c].sum()
                    r = counts[d] / counts[d].sum()
                    weight = np.sqrt(min(counts[c].sum(), counts[d].sum()))
                    agreement[c, d] += weight * (p @ r) / np.sqrt((p @ p) * (r @ r))
                    evidence[c, d] += weight
    np.testing.assert_allclose(found.agreement, agreement, atol=1e-9)
    np.testing.assert_allclose(found.evidence, evidence, atol=1e-9)


def test_halves_of_one_object_merge_before_anything_else(capture):
    labels = capture.truth.copy()
    left = (capture.truth == 2) & (capture.means[:, 0] < 0)
    labels[left] = 7
    observations = capture.observations()
    touching = contacts(labels, nearest_neighbours(capture.means, 8), 7)
    tree = merge_tree(co_occurrence(observations, labels, 7), touching)
    assert tree.merges[0].tolist() == [2, 7]
    assert tree.heights[0] > 0.9
    assert (tree.heights[1:] < 0.5).all()


def test_contacts_count_neighbouring_pairs_of_different_groups():
    labels = np.array([1, 1, 2, 0, 2], np.int32)
    neighbours = np.array([[1, 2], [2, 3], [0, 1], [0, 1], [1, 0]])
    table = contacts(labels, neighbours, 3)
    np.testing.assert_array_equal(table, [[0, 6, 0], [6, 0, 0], [0, 0, 0]])
