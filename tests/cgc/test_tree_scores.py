# SPDX-License-Identifier: GPL-3.0-or-later
"""Scores of a merge tree against scores of the maps that its cuts render."""

from __future__ import annotations

import numpy as np
import pytest

from cgc_addon.cgc.clusters.granularity import MergeTree, merge_threshold
from cgc_addon.cgc.metrics import IGNORED, intersection_over_union, score_segmentation
from cgc_addon.cgc.tree_scores import GRANULARITIES, score_tree


def random_tree(generator, count):
    """Join clusters at random until one is left."""
    present = list(range(1, count + 1))
    merges = []
    while len(present) > 1:
        kept, joined = sorted(generator.choice(present, 2, replace=False).tolist())
        merges.append((kept, joined))
        present.remove(joined)
    heights = np.sort(generator.random(count - 1))[::-1]
    return MergeTree(count, np.array(merges, np.int32), heights.astype(np.float32))


def scene(seed, count=9, views=3):
    """Make cluster maps and ground truth that have something to do with each other."""
    generator = np.random.default_rng(seed)
    clusters = [generator.integers(0, count + 1, (6, 7)) for _ in range(views)]
    object_of = generator.integers(0, 4, count + 1)
    truth = [np.where(generator.random((6, 7)) < 0.8, object_of[one], 2) for one in clusters]
    for view in truth:
        view[generator.random((6, 7)) < 0.1] = IGNORED
    return random_tree(generator, count), clusters, truth


@pytest.mark.parametrize("seed", range(6))
def test_every_cut_scores_what_its_maps_score(seed):
    tree, clusters, truth = scene(seed)
    by_maps = {}
    for granularity in GRANULARITIES:
        labels = tree.cut(merge_threshold(granularity))
        maps = [labels[one] for one in clusters]
        by_maps[granularity] = score_segmentation(maps[:2], truth[:2], maps[2:], truth[2:])
    score = score_tree(tree, 0.5, clusters[:2], truth[:2], clusters[2:], truth[2:])
    assert score.mean_iou == pytest.approx(by_maps[0.5].mean_iou)
    assert [one.iou for one in score.objects] == pytest.approx(
        [one.iou for one in by_maps[0.5].objects]
    )
    assert score.best_cut_iou == pytest.approx(max(one.mean_iou for one in by_maps.values()))
    assert by_maps[score.best_granularity].mean_iou == pytest.approx(score.best_cut_iou)


@pytest.mark.parametrize("seed", range(6))
def test_the_best_node_is_the_best_segment_of_any_cut(seed):
    """Every node of a tree is a segment of some cut, if cuts are made one merge at a time."""
    tree, clusters, truth = scene(seed)
    labelled = truth[2] != IGNORED
    found = dict.fromkeys((1, 2, 3), 0.0)
    for threshold in [2.0, *tree.heights.tolist()]:
        shown = tree.cut(threshold)[clusters[2]][labelled]
        overlaps = {
            identifier: [
                intersection_over_union(shown == segment, truth[2][labelled] == identifier)
                for segment in np.setdiff1d(shown, [0])
            ]
            for identifier in found
        }
        found = {one: max(best, *overlaps[one]) for one, best in found.items()}
    score = score_tree(tree, 0.5, clusters[:2], truth[:2], clusters[2:], truth[2:])
    for one in score.objects:
        assert one.node_iou == pytest.approx(found[one.truth_id])


def test_it_says_whether_clusters_tree_or_cut_are_at_fault():
    """Object 1: cut too coarse. Object 2: in pieces. Object 3: shares a cluster with object 4."""
    truth = np.array([[1, 1, 2, 2, 3, 4, 4, 4]])
    clusters = np.array([[1, 1, 2, 3, 5, 5, 5, 5]])
    clusters[0, :2] = 1
    merges = np.array([[1, 5], [2, 3]], np.int32)
    tree = MergeTree(5, merges, np.array([0.5, 0.1], np.float32))
    score = score_tree(tree, 0.5, [clusters], [truth], [clusters], [truth])
    by_id = {one.truth_id: one for one in score.objects}
    assert (by_id[1].iou, by_id[1].node_iou, by_id[1].pieces) == (pytest.approx(2 / 6), 1, 0)
    assert (by_id[2].iou, by_id[2].node_iou, by_id[2].pieces) == (0.5, 1, 2)
    assert (by_id[3].node_iou, by_id[3].clusters_iou) == (0.25, 0)
    assert (by_id[4].node_iou, by_id[4].clusters_iou) == (0.75, 0.75)
    assert "granularity" in score.table()


def test_an_object_that_no_training_view_shows_cannot_be_clicked():
    truth, nothing = np.array([[1, 1]]), np.array([[0, 0]])
    clusters = np.array([[1, 1]])
    tree = MergeTree(1, np.zeros((0, 2), np.int32), np.zeros(0, np.float32))
    score = score_tree(tree, 0.5, [clusters], [nothing], [clusters], [truth])
    assert [(one.iou, one.node_iou) for one in score.objects] == [(0, 1)]
