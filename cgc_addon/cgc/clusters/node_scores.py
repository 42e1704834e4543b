# SPDX-License-Identifier: GPL-3.0-or-later
"""How far each node of a tree of pieces is a thing: how well any mask of each view shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .mask_tables import MaskTable
from .signed_linkage import Linkage

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

FEWEST_NODE_PIXELS = 12
"""Sampled ones; views that show less of a node say nothing about it."""
NO_MASK, RIGHT_MASK = 0.45, 0.75
"""IoU of the best mask of a view: nothing is seen as a thing below, nothing better above."""


@dataclass(frozen=True, eq=False)
class Nodes:
    """All nodes of a linkage of K pieces: the pieces first, then one for each of its M merges."""

    children: NDArray[np.int64]
    """(M, 2) nodes, from 0, that each merge joins."""
    scores: NDArray[np.float64]
    """(K + M,) 0..1: in which share of the views a mask shows the node as a thing."""
    areas: NDArray[np.float64]
    """(K + M,) mean share of a view that each covers, of those where it counts."""
    views: NDArray[np.int64]
    """(K + M,) views where it counts."""


def score_nodes(linkage: Linkage, tables: Sequence[MaskTable]) -> Nodes:
    """Compare every node with the masks of every view.

    Args:
        linkage: of K pieces.
        tables: of all views.
    """
    children = nodes_of_merges(linkage)
    membership = _membership(linkage.count, children)
    total = len(children) + linkage.count
    seen, weights, scores, areas = (np.zeros(total) for _ in range(4))
    for table in tables:
        own = membership[:, table.pieces - 1]
        pixels = np.asarray(own @ table.pixels)
        counts = np.nonzero(pixels >= FEWEST_NODE_PIXELS)[0]
        if not len(counts) or not len(table.sizes):
            continue
        inside = np.asarray(own[counts] @ table.inside)
        union = pixels[counts, None] + table.sizes - inside
        best = (inside / np.maximum(union, 1)).max(axis=1)
        weight = np.sqrt(pixels[counts])
        scores[counts] += weight * np.clip((best - NO_MASK) / (RIGHT_MASK - NO_MASK), 0, 1)
        weights[counts] += weight
        areas[counts] += pixels[counts] / max(table.total, 1)
        seen[counts] += 1
    return Nodes(
        children,
        scores / np.maximum(weights, 1e-30),
        areas / np.maximum(seen, 1),
        seen.astype(np.int64),
    )


def nodes_of_merges(linkage: Linkage) -> NDArray[np.int64]:
    """Return the two nodes (M, 2) that each merge joins: pieces 0..K−1, merge m makes K + m."""
    node = np.arange(linkage.count)
    children = np.zeros((len(linkage.merges), 2), np.int64)
    for number, (kept, joined) in enumerate(linkage.merges.tolist()):
        children[number] = node[kept - 1], node[joined - 1]
        node[kept - 1] = linkage.count + number
    return children


def _membership(count: int, children: NDArray[np.int64]) -> csr_matrix:
    """Return which pieces each node holds (K + M, K), 1 or 0."""
    from scipy.sparse import csr_matrix

    inside = [np.array([piece]) for piece in range(count)]
    for first, second in children.tolist():
        inside.append(np.concatenate([inside[first], inside[second]]))
    starts = np.cumsum([0, *map(len, inside)])
    columns = np.concatenate([np.zeros(0, np.int64), *inside])
    ones = np.ones(len(columns), np.float32)
    return csr_matrix((ones, columns, starts), (len(inside), count))
