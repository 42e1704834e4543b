# SPDX-License-Identifier: GPL-3.0-or-later
"""Segments at another granularity: the stored merge tree is cut anew, NumPy alone, no run needed.

What a person made by hand is left alone: pinned segments, and those with copied Gaussians; so is
what is linked from another file. Of the rest, a segment that comes out with the same Gaussians is
not touched at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...cgc.clusters.granularity import MergeTree
from ...errors import CgcError
from ...splats.select import concatenate
from ..capture.parts import segment_collections
from ..common.access import of_collection
from ..splats.objects import clusters_of, gaussians_of
from .data import all_segments, copies, splats_of, unassigned
from .merge_tree import stored_tree
from .regrouping import Target, is_editable, regroup

if TYPE_CHECKING:
    from bpy.types import Collection


@dataclass(frozen=True)
class Recut:
    """What became of the segments of a capture."""

    segments: int
    """How many there are now."""
    kept: int
    """With the same Gaussians as before."""
    by_hand: int
    """Left alone, as they are pinned, hold copies or are linked; counted in `kept` too."""


def recut(capture: Collection, granularity: float, minimum_size: int) -> Recut:
    """Cut the merge tree of a capture anew and regroup its Gaussians accordingly.

    A segment that changes goes on as the one that has most of its Gaussians: same collection and
    object, hence name, number, colour, transform. Deleted Gaussians stay deleted.

    Args:
        capture: with a merge tree.
        granularity: 0 = parts … 1 = whole objects.
        minimum_size: Gaussians that a segment needs; those of smaller ones become unassigned, as
            do those that float apart from their segment.

    Raises:
        CgcError: the capture has no clusters, or Gaussians cannot be carried over.
    """
    tree = stored_tree(capture)
    if tree.count == 0:
        raise CgcError(
            f"{capture.name} was not separated into objects, so there is nothing to cut: "
            "train it with masks."
        )
    duplicates = copies(capture)
    taking_part = [
        collection
        for collection in all_segments(capture)
        if not of_collection(collection).pinned
        and not duplicates.within(collection)
        and all(is_editable(item) for item in splats_of(collection))
        and _has_clusters_of(tree, collection)
    ]
    by_hand = sum(collection not in taking_part for collection in segment_collections(capture))
    kept = _cut(capture, taking_part, tree, granularity, minimum_size)
    of_collection(capture).granularity = granularity
    of_collection(capture).minimum_size = minimum_size
    return Recut(len(segment_collections(capture)), by_hand + kept, by_hand)


def heirs_of(shares: NDArray[np.integer], rest: int | None) -> dict[int, int]:
    """Return which old segment each new one goes on as: each old one once, most in common first.

    Args:
        shares: (P, K + 1) Gaussians that old segment p and new segment k have in common, k = 0
            being those of none.
        rest: the old segment that holds the unassigned, if it takes part.
    """
    heirs: dict[int, int] = {} if rest is None else {0: rest}
    places, labels = np.nonzero(shares)
    for pair in np.argsort(-shares[places, labels], kind="stable"):
        place, label = int(places[pair]), int(labels[pair])
        if label > 0 and label not in heirs and place not in heirs.values():
            heirs[label] = place
    return heirs


def _cut(
    capture: Collection,
    collections: Sequence[Collection],
    tree: MergeTree,
    granularity: float,
    minimum_size: int,
) -> int:
    """Regroup the Gaussians of some segments and return how many segments stay as they are."""
    items = [item for collection in collections for item in splats_of(collection)]
    place_of = [n for n, collection in enumerate(collections) for _ in splats_of(collection)]
    clusters = [np.maximum(clusters_of(item), 0) for item in items]
    if not items:
        return 0
    # Each where its object has it, not where that was moved to: so the cut is that of the run.
    gaussians = concatenate([gaussians_of(item) for item in items])
    labels = tree.labels(np.concatenate(clusters), granularity, minimum_size, gaussians=gaussians)
    groups = np.split(labels, np.cumsum([len(part) for part in clusters])[:-1])
    count = int(labels.max(initial=0)) + 1
    shares_of = [np.bincount(group, minlength=count) for group in groups]
    shares = np.zeros((len(collections), count), np.int64)
    np.add.at(shares, place_of, shares_of)

    rest = unassigned(capture)
    heirs = heirs_of(shares, collections.index(rest) if rest in collections else None)
    settled = {
        place
        for label, place in heirs.items()
        if shares[place, label] == shares[place].sum() == shares[:, label].sum()
    }
    changing = [n for n, place in enumerate(place_of) if place not in settled]
    targets = []
    for label in range(count):
        place = heirs.get(label)
        hosts = [n for n in changing if place_of[n] == place]
        host = max(hosts, key=lambda n: int(shares_of[n][label]), default=None)
        inherited = None if place is None else collections[place]
        targets.append(
            Target(
                collection=rest if label == 0 else inherited,
                host=None if host is None else items[host],
            )
        )
    regroup(capture, [items[n] for n in changing], [groups[n] for n in changing], targets)
    return sum(collections[place] != rest for place in settled)


def _has_clusters_of(tree: MergeTree, collection: Collection) -> bool:
    """Return whether a segment's Gaussians are of the run that the tree is of, as far as known."""
    return all(
        int(clusters_of(item).max(initial=0)) <= tree.count for item in splats_of(collection)
    )
