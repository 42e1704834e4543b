# SPDX-License-Identifier: GPL-3.0-or-later
"""One tree from small pieces over things to piles, and the nodes of it that are objects.

From the largest piles down a node gives way to its children where masks and surfaces clearly show
these as things of their own. Where they say nothing, what belongs together by the evidence stays.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..settings import DEFAULT_GRANULARITY
from .granularity import MergeTree, merge_threshold
from .node_scores import Nodes
from .signed_linkage import Linkage

SPLIT_MARGIN = 0.3
"""By how much the parts of a node have to be seen better as things than it, to be objects."""
EVIDENCE_MARGIN = 1.2
"""More of it for each unit of evidence that the two are one thing; less where it says they are two,
as where masks show them apart and their surfaces meet in a concave edge."""
CRUMB_SHARE = 0.1
"""Of the larger side's area: that a smaller one goes with it says nothing about what it is."""
LARGEST_SHARE = 0.35
"""Of a view; what covers more is surroundings."""
_CERTAIN = 1.02
"""Height of merges that even the finest cut makes: pieces of a cluster that nothing takes apart."""


@dataclass(frozen=True, eq=False)
class PieceTree:
    """K pieces that become things, and these piles."""

    linkage: Linkage
    """Of the pieces."""
    evidence: NDArray[np.float64]
    """(M,) mean evidence that the two sides of each merge are one thing, of any sign."""
    heights: NDArray[np.float64]
    """(M,) 0..1: the same from all against to all for one thing; `_CERTAIN` within a cluster."""


def piece_tree(
    linkage: Linkage,
    cluster: NDArray[np.integer],
    evidence: NDArray[np.floating],
    importance: NDArray[np.floating],
    bounds: tuple[float, float],
) -> PieceTree:
    """Say of each merge of pieces what speaks for it.

    Args:
        linkage: of K pieces.
        cluster: (K,) that each piece lies in.
        evidence: (K, K) symmetric, of any sign.
        importance: (K, K) symmetric ≥ 0, how much each pair counts in the mean of two groups.
        bounds: lowest and highest evidence that there can be.
    """
    means = _mean_evidence(linkage, evidence, importance)
    heights = np.clip((means - bounds[0]) / (bounds[1] - bounds[0]), 0, 1)
    common = np.array(cluster)
    for merge, (kept, joined) in enumerate((linkage.merges - 1).tolist()):
        if common[kept] == common[joined] >= 0:
            heights[merge] = _CERTAIN
        else:
            common[kept] = -1
    return PieceTree(linkage, means, heights)


def _mean_evidence(
    linkage: Linkage, evidence: NDArray[np.floating], importance: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Return the mean evidence (M,) between the two sides of each merge, 0 where there is none."""
    weights = np.array(importance, np.float64)
    sums = weights * evidence
    means = np.zeros(len(linkage.merges))
    for merge, (kept, joined) in enumerate((linkage.merges - 1).tolist()):
        if weights[kept, joined] > 0:
            means[merge] = sums[kept, joined] / weights[kept, joined]
        for table in (sums, weights):
            table[kept] += table[joined]
            table[:, kept] += table[:, joined]
    return means


def choose_objects(tree: PieceTree, nodes: Nodes) -> NDArray[np.bool_]:
    """Return which nodes (K + M,) are objects: no two of them share a piece, and all are in one.

    A node is one, unless its parts are better ones. Parts count by the area that they cover. A node
    that is another one with a crumb gives way as easily as that one did: its parts are the other's.

    Args:
        tree: of K pieces and M merges.
        nodes: of its linkage, scored.
    """
    count, total = tree.linkage.count, len(nodes.scores)
    value = nodes.scores.copy()
    area = np.maximum(nodes.areas, 1e-9)
    whole = np.ones(total, np.bool_)
    evidence = np.concatenate([np.zeros(count), tree.evidence])
    for merge, (first, second) in enumerate(nodes.children.tolist()):
        node = count + merge
        parts = area[first] * value[first] + area[second] * value[second]
        parts /= area[first] + area[second]
        larger, smaller = (first, second) if area[first] >= area[second] else (second, first)
        if area[smaller] < CRUMB_SHARE * area[larger] and not whole[larger]:
            evidence[node] = evidence[larger]
        margin = SPLIT_MARGIN + EVIDENCE_MARGIN * evidence[node]
        if nodes.areas[node] > LARGEST_SHARE or parts > value[node] + margin:
            whole[node], value[node] = False, parts
    chosen = np.zeros(total, np.bool_)
    above = np.ones(total, np.bool_)  # no node above is an object
    for node in range(total - 1, -1, -1):
        chosen[node] = above[node] and whole[node]
        if node >= count:
            above[nodes.children[node - count]] = above[node] and not chosen[node]
    return chosen


def arranged(tree: PieceTree, nodes: Nodes, chosen: NDArray[np.bool_]) -> MergeTree:
    """Return the tree with heights such that its default cut is the chosen nodes.

    Merges within an object come before the default cut, all others after it; apart from that their
    order is that of the tree.

    Args:
        tree: of K pieces.
        nodes: of its linkage.
        chosen: (K + M,) as `choose_objects` returns them.
    """
    count = tree.linkage.count
    middle = merge_threshold(DEFAULT_GRANULARITY)
    label = np.arange(1, count + len(nodes.children) + 1)
    inside = chosen.copy()
    for merge in range(len(nodes.children) - 1, -1, -1):
        if inside[count + merge]:
            inside[nodes.children[merge]] = True
    height = np.full(count + len(nodes.children), _CERTAIN)
    pairs = np.zeros((len(nodes.children), 2), np.int32)
    for merge, (first, second) in enumerate(nodes.children.tolist()):
        node = count + merge
        own = tree.heights[merge]
        if own >= _CERTAIN:
            own = _CERTAIN if inside[node] else middle * 0.99
        elif inside[node]:
            own = middle + (1 - middle) * own
        else:
            own *= middle * 0.99
        height[node] = min(own, height[first], height[second])
        pairs[merge] = sorted((label[first], label[second]))
        label[node] = pairs[merge, 0]
    order = np.argsort(-height[count:], kind="stable")
    return MergeTree(count, pairs[order], height[count:][order].astype(np.float32))
