# SPDX-License-Identifier: GPL-3.0-or-later
"""Which nodes become objects, and that the tree's default cut is these and its slider monotone."""

from __future__ import annotations

import numpy as np
import pytest

from cgc_addon.cgc.clusters.granularity import merge_threshold
from cgc_addon.cgc.clusters.mask_tables import MaskTable
from cgc_addon.cgc.clusters.node_scores import Nodes, nodes_of_merges, score_nodes
from cgc_addon.cgc.clusters.object_tree import arranged, choose_objects, piece_tree
from cgc_addon.cgc.clusters.signed_linkage import Linkage, signed_linkage

MIDDLE = merge_threshold(0.5)
BOUNDS = -4.0, 4.0


def linkage(count, *merges):
    pairs = np.array([merge[:2] for merge in merges], np.int32).reshape(-1, 2)
    return Linkage(count, pairs, np.array([merge[2] for merge in merges], float))


def cup_and_saucer():
    """Pieces 1, 2 are a cup and 3 its saucer, in one cluster; piece 4 is a book, a cluster too."""
    joins = linkage(4, (1, 2, 2.0), (1, 3, -0.5), (1, 4, -3.0))
    evidence = np.array([[0, 2, -0.5, -3], [2, 0, -0.5, -3], [-0.5, -0.5, 0, -3], [-3, -3, -3, 0]])
    return piece_tree(joins, np.array([1, 1, 1, 2]), evidence, np.ones((4, 4)), BOUNDS)


def scored(tree, scores, areas):
    children = nodes_of_merges(tree.linkage)
    views = np.full(len(scores), 5)
    return Nodes(children, np.array(scores, float), np.array(areas, float), views)


def partition(labels):
    return {frozenset(np.nonzero(labels == one)[0].tolist()) for one in np.unique(labels[1:])}


def test_evidence_says_how_high_a_merge_stands_and_that_of_a_cluster_is_certain() -> None:
    tree = cup_and_saucer()
    assert tree.heights[:2].min() > 1
    assert tree.heights[2] == pytest.approx(1 / 8)
    assert tree.evidence == pytest.approx([2, -0.5, -3])


def test_what_a_cluster_joined_with_another_one_is_no_longer_certain() -> None:
    """Pieces 1 and 3 are one cluster, but 2 joins 1 before 3 does."""
    joins, evidence = linkage(3, (1, 2, 2.0), (1, 3, 1.0)), np.full((3, 3), 2.0)
    tree = piece_tree(joins, np.array([1, 2, 1]), evidence, np.ones((3, 3)), BOUNDS)
    assert tree.heights == pytest.approx([0.75, 0.75])


AREAS = [0.02, 0.02, 0.03, 0.05, 0.04, 0.07, 0.12]


@pytest.mark.parametrize(
    ("scores", "objects"),
    [
        # cup seen alone in most views: taken from its saucer
        ([0.1, 0.1, 0.5, 0.9, 0.6, 0.4, 0.2], {(1, 2), (3,), (4,)}),
        # a pile in every view, but what it is made of is seen in most, and evidence is for two
        ([0.1, 0.1, 0.8, 0.9, 0.8, 1.0, 0.2], {(1, 2), (3,), (4,)}),
        # parts that are seldom seen: as it was
        ([0.1, 0.1, 0.1, 0.9, 0.3, 1.0, 0.2], {(1, 2, 3), (4,)}),
        # one mask all over, but everything else says that these are two things
        ([0.0, 0.0, 0.1, 0.2, 0.1, 0.9, 1.0], {(1, 2, 3), (4,)}),
    ],
)
def test_what_is_seen_as_a_thing_is_an_object(scores, objects) -> None:
    tree = cup_and_saucer()
    nodes = scored(tree, scores, AREAS)
    found = arranged(tree, nodes, choose_objects(tree, nodes))
    assert partition(found.cut(MIDDLE)) - {frozenset({0})} == {frozenset(one) for one in objects}


@pytest.mark.parametrize(("crumb", "taken"), [(0.002, True), (0.02, False)])
def test_a_crumb_does_not_hold_a_pile_together(crumb, taken) -> None:
    """Cup 1 and saucer 2 are two things, and what certainly goes with them, 3, says nothing."""
    joins = linkage(3, (1, 2, -0.5), (1, 3, 1.0))
    evidence = np.array([[0, -0.5, 1], [-0.5, 0, 1], [1, 1, 0.0]])
    tree = piece_tree(joins, np.ones(3, int), evidence, np.ones((3, 3)), BOUNDS)
    # By itself the pile gives way: 0.7 > 0.8 + 0.3 - 1.2 * 0.5.
    nodes = scored(tree, [0.7, 0.7, 0.0, 0.8, 0.8], [0.05, 0.05, crumb, 0.1, 0.1 + crumb])
    found = arranged(tree, nodes, choose_objects(tree, nodes))
    apart = frozenset({1, 2, 3}) not in partition(found.cut(MIDDLE))
    assert apart == taken


def test_what_fills_the_photo_is_no_object() -> None:
    tree = cup_and_saucer()
    nodes = scored(tree, [0.0, 0.0, 0.1, 0.2, 0.1, 0.9, 0.9], [*AREAS[:-2], 0.5, 0.6])
    found = arranged(tree, nodes, choose_objects(tree, nodes))
    assert frozenset({1, 2, 3}) not in partition(found.cut(MIDDLE))


@pytest.mark.parametrize("seed", range(8))
def test_every_cut_lies_within_every_coarser_one_and_the_default_is_what_was_chosen(seed) -> None:
    generator = np.random.default_rng(seed)
    count, clusters = 14, 5
    cluster = np.sort(np.append(np.arange(1, clusters + 1), generator.integers(1, 6, 9)))
    evidence = generator.normal(size=(count, count))
    evidence += evidence.T
    even = np.ones((count, count))
    joins = signed_linkage(evidence, even, np.full((count, count), 5))
    tree = piece_tree(joins, cluster, evidence, even, BOUNDS)
    total = 2 * count - 1
    assert len(tree.linkage.merges) == count - 1
    nodes = scored(tree, generator.random(total), generator.random(total) * 0.3)
    chosen = choose_objects(tree, nodes)
    found = arranged(tree, nodes, chosen)
    assert (np.diff(found.heights) <= 0).all()
    assert chosen.sum() == len(np.unique(found.cut(MIDDLE)[1:]))
    finer = found.cut(merge_threshold(0))
    for granularity in np.linspace(0.05, 1, 20):
        coarser = found.cut(merge_threshold(granularity))
        for group in np.unique(finer[1:]):
            assert len(np.unique(coarser[1:][finer[1:] == group])) == 1
        finer = coarser


def test_a_node_is_scored_by_the_best_mask_of_every_view() -> None:
    """Two pieces of 20 px; a mask of both in one view, of the first alone in the other."""
    together = MaskTable(
        np.array([1, 2]),
        np.full(2, 20, np.float32),
        np.array([[20], [20]], np.float32),
        np.array([40], np.float32),
        400,
    )
    alone = MaskTable(
        np.array([1, 2]),
        np.full(2, 20, np.float32),
        np.array([[20], [0]], np.float32),
        np.array([20], np.float32),
        400,
    )
    nodes = score_nodes(linkage(2, (1, 2, 1.0)), [together, alone])
    # of the pieces and both: IoU 0.5 and 1, 0.5 and 0, 1 and 0.5; 0.45 counts 0, 0.75 counts 1
    half = (0.5 - 0.45) / 0.3
    assert nodes.scores == pytest.approx([(half + 1) / 2, half / 2, (1 + half) / 2])
    assert nodes.areas == pytest.approx([0.05, 0.05, 0.1])
    assert nodes.views.tolist() == [2, 2, 2]
