# SPDX-License-Identifier: GPL-3.0-or-later
"""Where objects are lost: in the clusters, in the tree that joins them, or where it is cut.

Rendered clusters are counted against ground truth once, view by view; every node of the tree and
every cut through it is a sum of these counts. So each object has three scores that bound another:
the segment a click finds, the best node of the tree, and the best that any choice of whole
clusters can make of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .clusters.granularity import MergeTree, merge_threshold
from .metrics import IGNORED, MINIMUM_COVER

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

Counts = tuple[NDArray[np.float64], int]
"""Pixels (K + 1, 1 + objects) of clusters on objects in one view, and the pixels of the view."""

GRANULARITIES = tuple(step / 20 for step in range(21))
"""Cuts that are compared."""


@dataclass(frozen=True)
class ObjectInTree:
    """What the tree has of one object; every IoU is a mean over held-out views."""

    truth_id: int
    iou: float
    """Of the segment that a click finds in the cut."""
    node_iou: float
    """Of the best node of the tree: one click on "more" or "less" away, if that."""
    clusters_iou: float
    """Of all clusters that show mostly this object."""
    pieces: int
    """Segments of the cut that show mostly this object; 0 where another took it."""


@dataclass(frozen=True)
class TreeScore:
    """Where objects are lost; means are over objects."""

    mean_iou: float
    """Of the cut, by the click protocol, of clusters as a whole."""
    best_cut_iou: float
    """Of the best single cut, likewise."""
    best_granularity: float
    mean_node_iou: float
    mean_clusters_iou: float
    objects: tuple[ObjectInTree, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the numbers as JSON takes them."""
        return asdict(self)

    def table(self) -> str:
        """Return the numbers as a table of plain text."""
        lines = [f"{'object':>8} {'cut':>6} {'node':>6} {'clusters':>9} {'pieces':>7}"]
        lines += [
            f"{one.truth_id:>8} {one.iou:>6.3f} {one.node_iou:>6.3f} {one.clusters_iou:>9.3f} "
            f"{one.pieces:>7}"
            for one in self.objects
        ]
        lines.append(
            f"{'mean':>8} {self.mean_iou:>6.3f} {self.mean_node_iou:>6.3f} "
            f"{self.mean_clusters_iou:>9.3f}   best single cut {self.best_cut_iou:.3f} at "
            f"granularity {self.best_granularity:g}"
        )
        return "\n".join(lines)


def score_tree(
    tree: MergeTree,
    granularity: float,
    train_clusters: Sequence[NDArray[np.integer]],
    train_truth: Sequence[NDArray[np.integer]],
    test_clusters: Sequence[NDArray[np.integer]],
    test_truth: Sequence[NDArray[np.integer]],
) -> TreeScore:
    """Score every node and cut of a tree by rendered maps of its clusters.

    Args:
        tree: of K clusters.
        granularity: of the cut.
        train_clusters: cluster maps (H, W), 0 = none, of the training views to click in.
        train_truth: ground truth of these views, 0 = background, `IGNORED` = not labelled.
        test_clusters: cluster maps of the held-out views.
        test_truth: ground truth of these views.

    Example:
        >>> truth = np.array([[1, 1, 2, 2]])
        >>> tree = MergeTree(3, np.array([[1, 2], [1, 3]], np.int32), np.array([0.9, 0.5], "f"))
        >>> found = np.array([[1, 2, 3, 3]])
        >>> score = score_tree(tree, 0.5, [found], [truth], [found], [truth])
        >>> [(one.iou, one.node_iou, one.pieces) for one in score.objects]
        [(0.5, 1.0, 1), (0.5, 1.0, 0)]
    """
    everything = [np.unique(view) for view in test_truth]
    ids = np.setdiff1d(np.concatenate([np.zeros(0, np.int64), *everything]), [0, IGNORED])
    train = [
        _count(*pair, ids, tree.count) for pair in zip(train_clusters, train_truth, strict=True)
    ]
    test = [_count(*pair, ids, tree.count) for pair in zip(test_clusters, test_truth, strict=True)]
    columns = np.array(
        [
            column
            for column in range(1, len(ids) + 1)
            if any(view[:, column].sum() >= MINIMUM_COVER * size for view, size in test)
        ],
        np.int64,
    )
    cuts = {
        value: tree.cut(merge_threshold(value)) for value in sorted({*GRANULARITIES, granularity})
    }
    clicked = {value: _clicked_ious(labels, train, test, columns) for value, labels in cuts.items()}
    means = {value: float(np.mean(ious)) if len(ious) else 0.0 for value, ious in clicked.items()}
    best = max(GRANULARITIES, key=lambda value: means[value])
    nodes = _nodes(tree)
    node_ious = _mean_ious([nodes @ view for view, _ in test], test, columns).max(axis=0, initial=0)
    mostly = _mostly([*train, *test], columns)
    own = np.zeros((len(columns), tree.count + 1))
    own[mostly[mostly >= 0], np.nonzero(mostly >= 0)[0]] = 1
    cluster_ious = np.diagonal(_mean_ious([own @ view for view, _ in test], test, columns))
    pieces = _pieces(cuts[granularity], [*train, *test], columns)
    return TreeScore(
        mean_iou=means[granularity],
        best_cut_iou=means[best],
        best_granularity=best,
        mean_node_iou=float(node_ious.mean()) if len(columns) else 0.0,
        mean_clusters_iou=float(cluster_ious.mean()) if len(columns) else 0.0,
        objects=tuple(
            ObjectInTree(
                int(ids[column - 1]),
                float(clicked[granularity][place]),
                float(node_ious[place]),
                float(cluster_ious[place]),
                int(pieces[place]),
            )
            for place, column in enumerate(columns.tolist())
        ),
    )


def _count(
    clusters: NDArray[np.integer], truth: NDArray[np.integer], ids: NDArray[np.integer], count: int
) -> Counts:
    """Return how many pixels of each cluster show what (K + 1, 1 + objects), and of how many.

    Column 0 is all that is none of the objects; pixels that nobody has labelled are left out.

    Raises:
        ValueError: the two maps are not of one size.
    """
    if clusters.shape != truth.shape:
        raise ValueError("cluster maps and ground truth differ in size.")
    labelled = truth != IGNORED
    place = np.searchsorted(ids, truth[labelled])
    place = np.minimum(place, max(len(ids) - 1, 0))
    column = np.where(np.isin(truth[labelled], ids), place + 1, 0)
    flat = clusters[labelled].astype(np.int64) * (len(ids) + 1) + column
    table = np.bincount(flat, minlength=(count + 1) * (len(ids) + 1))
    return table.reshape(count + 1, len(ids) + 1).astype(np.float64), truth.size


def _mean_ious(
    found: Sequence[NDArray[np.float64]], views: Sequence[Counts], columns: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the mean IoU (S, objects) of S regions, over the views where each object counts.

    Args:
        found: V arrays (S, 1 + objects), counts of each region.
        views: V counts of the clusters.
        columns: of the objects.
    """
    sums = np.zeros((len(found[0]) if found else 0, len(columns)))
    seen = np.zeros(len(columns))
    for regions, (view, size) in zip(found, views, strict=True):
        area = view[:, columns].sum(axis=0)
        overlap = regions[:, columns]
        union = regions.sum(axis=1, keepdims=True) + area - overlap
        shows = area >= MINIMUM_COVER * size
        sums += np.where(shows, overlap / np.maximum(union, 1), 0)
        seen += shows
    return sums / np.maximum(seen, 1)


def _clicked_ious(
    labels: NDArray[np.int32],
    train: Sequence[Counts],
    test: Sequence[Counts],
    columns: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Return the IoU of each object's segment by the click protocol, see `metrics`."""
    segments, rows = np.unique(labels, return_inverse=True)

    def summed(view: NDArray[np.float64]) -> NDArray[np.float64]:
        table = np.zeros((len(segments), view.shape[1]))
        np.add.at(table, rows, view)
        return table

    ious = _mean_ious([summed(view) for view, _ in test], test, columns)
    clicks = [summed(view)[:, columns] for view, _ in train]
    result = np.zeros(len(columns))
    for place in range(len(columns)):
        sizes = [table[:, place].sum() for table in clicks]
        if sizes and max(sizes) > 0:
            segment = int(clicks[int(np.argmax(sizes))][:, place].argmax())
            result[place] = ious[segment, place] if segments[segment] > 0 else 0.0
    return result


def _nodes(tree: MergeTree) -> csr_matrix:
    """Return which clusters each node of the tree holds (nodes, K + 1), 1 or 0."""
    from scipy.sparse import csr_matrix

    inside = {cluster: [cluster] for cluster in range(1, tree.count + 1)}
    nodes = [[cluster] for cluster in range(1, tree.count + 1)]
    for kept, joined in tree.merges.tolist():
        inside[kept] = inside[kept] + inside.pop(joined)
        nodes.append(inside[kept])
    starts = np.cumsum([0, *map(len, nodes)])
    columns = np.array([cluster for node in nodes for cluster in node], np.int64)
    return csr_matrix((np.ones(len(columns)), columns, starts), (len(nodes), tree.count + 1))


def _mostly(views: Sequence[Counts], columns: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return which object each cluster (K + 1,) shows most, its place in `columns`; −1 = none."""
    if not views or not len(columns):
        return np.full(len(views[0][0]) if views else 1, -1, np.int64)
    table = sum(view for view, _ in views)
    best = np.argmax(table, axis=1)
    place = np.minimum(np.searchsorted(columns, best), len(columns) - 1)
    mostly = np.where(columns[place] == best, place, -1)
    mostly[0] = -1
    return mostly


def _pieces(
    labels: NDArray[np.int32], views: Sequence[Counts], columns: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return how many segments show mostly each object."""
    if not views:
        return np.zeros(len(columns), np.int64)
    table = np.zeros((len(labels), views[0][0].shape[1]))
    for view, _ in views:
        np.add.at(table, labels, view)
    mostly = _mostly([(table, 1)], columns)
    return np.bincount(mostly[mostly >= 0], minlength=len(columns))
