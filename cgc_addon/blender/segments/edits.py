# SPDX-License-Identifier: GPL-3.0-or-later
"""Segments changed by hand: merged, split, given other Gaussians, named, pinned, deleted.

What a person puts together or takes apart is pinned, so that another granularity does not undo it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...cgc.clusters.granularity import MergeTree, ordered_by_size
from ...errors import CgcError
from ..common import point_attributes
from ..common.access import of_collection
from ..splats.objects import clusters_of, data_of, indices_of
from .data import collection_of, remove_segment, rename, splats_of, unassigned
from .merge_tree import stored_tree
from .regrouping import Target, regroup

if TYPE_CHECKING:
    from bpy.types import Collection, Object

STAYS = -1
"""Where a Gaussian goes that does not move."""


def merge_segments(
    capture: Collection, collections: Sequence[Collection], into: Collection
) -> None:
    """Put the Gaussians of several segments into one of them, which becomes pinned.

    Raises:
        CgcError: there is nothing to merge, or an object has a scale of zero.
    """
    others = [one for one in collections if one != into and of_collection(one).kind == "SEGMENT"]
    if not others or of_collection(into).kind != "SEGMENT":
        raise CgcError("There is nothing to merge: select objects of two segments or more.")
    items = [item for one in (into, *others) for item in splats_of(one)]
    everything = [np.zeros(_count(item), np.int32) for item in items]
    regroup(capture, items, everything, [Target(into, _host(into))])
    of_collection(into).pinned = True


def split_segment(capture: Collection, collection: Collection) -> list[Collection]:
    """Undo the last merge that made a segment; its parts become pinned.

    The largest part stays the segment.

    Returns:
        The parts, the largest one first.

    Raises:
        CgcError: it is a single cluster, or the capture has no clusters.
    """
    items = splats_of(collection)
    clusters = [np.maximum(clusters_of(item), 0) for item in items]
    together = np.concatenate([np.zeros(0, np.int32), *clusters])
    tree = stored_tree(capture)
    if int(together.max(initial=0)) > tree.count or len(np.unique(together[together > 0])) < 2:
        raise CgcError(
            f"{collection.name} is a single cluster and cannot be split further; use the tool "
            "Segment Flood, Brush or Lasso with New Segment."
        )
    # What is in no cluster stays with the largest part.
    parts = np.maximum(ordered_by_size(last_merge_undone(tree, together)[together]), 1) - 1
    groups = np.split(parts, np.cumsum([len(part) for part in clusters])[:-1])
    targets = [Target(collection, _host(collection))]
    targets += [Target(None, None)] * int(parts.max())
    made = [one for one in regroup(capture, items, groups, targets) if one is not None]
    for one in made:
        of_collection(one).pinned = True
    return made


def last_merge_undone(tree: MergeTree, clusters: NDArray[np.integer]) -> NDArray[np.int32]:
    """Return the part that each cluster falls into when the last merge among some is undone.

    Clusters that the tree does not join at all, as in segments merged by hand, fall apart into
    those that it does join.

    Args:
        tree: of K clusters.
        clusters: two different ones at least, any order, 0 = none.

    Returns:
        (K + 1,) label of each cluster's part, 0 for 0.
    """
    there = np.zeros(tree.count + 1, bool)
    there[clusters] = True
    there[0] = False
    parts, made = int(there.sum()), 0
    for kept, joined in tree.merges:
        parts -= int(there[kept] and there[joined])
        if parts == 1:
            break
        there[kept] |= there[joined]
        made += 1
    return MergeTree(tree.count, tree.merges[:made], tree.heights[:made]).cut(-np.inf)


def assign(
    capture: Collection,
    chosen: Mapping[Object, NDArray[np.bool_] | None],
    target: Collection | None,
) -> Collection:
    """Move Gaussians into a segment, which becomes pinned, or into Unassigned.

    Args:
        capture: of all of them.
        chosen: for each splat which of its Gaussians (N,), None for all.
        target: where to; None makes a new segment.

    Returns:
        The collection they are in now.

    Raises:
        CgcError: nothing is chosen that is not there already.
    """
    moves = {
        item: np.zeros(_count(item), np.int64) if mask is None else np.where(mask, 0, STAYS)
        for item, mask in chosen.items()
        if collection_of(item) != target
    }
    if not any((groups != STAYS).any() for groups in moves.values()):
        raise CgcError("Nothing was moved: select splats, or points of them, of other segments.")
    filled = hand_over(capture, moves, [target])[0]
    assert filled is not None
    return filled


def hand_over(
    capture: Collection,
    moves: Mapping[Object, NDArray[np.integer]],
    targets: Sequence[Collection | None],
) -> list[Collection | None]:
    """Move Gaussians into several segments, which become pinned, or into Unassigned, at once.

    Args:
        capture: of all of them.
        moves: for each splat (N,) the index of the target of each Gaussian, or `STAYS`.
        targets: where to; None makes a new segment.

    Returns:
        The collection of each target, None where it got nothing.
    """
    given = {item: groups for item, groups in moves.items() if (groups != STAYS).any()}
    hosts = [None if target is None else _host(target) for target in targets]
    moved = [
        np.concatenate(
            [np.zeros(0, np.int32)]
            + [indices_of(item)[groups == number] for item, groups in given.items()]
        )
        for number in range(len(targets))
    ]
    items = list(given)
    groups_of = []
    all_targets = [Target(target, host) for target, host in zip(targets, hosts, strict=True)]
    for item, groups in given.items():
        if item in hosts:
            stay = hosts.index(item)
        else:
            stay = len(all_targets)
            all_targets.append(Target(collection_of(item), item))
        groups_of.append(np.where(groups == STAYS, stay, groups))
    for number, host in enumerate(hosts):
        if host is not None and host not in given and len(moved[number]):
            items.append(host)
            groups_of.append(np.full(_count(host), number, np.int64))
    filled = regroup(capture, items, groups_of, all_targets)[: len(targets)]
    for collection, index in zip(filled, moved, strict=True):
        if collection is None or not len(index):
            continue
        if of_collection(collection).kind == "UNASSIGNED":
            _forget_clusters(collection, index)
        else:
            of_collection(collection).pinned = True
    return filled


def unassign(capture: Collection, chosen: Mapping[Object, NDArray[np.bool_] | None]) -> Collection:
    """Move Gaussians into Unassigned, for good: they leave their clusters.

    Raises:
        CgcError: nothing is chosen that is not there already.
    """
    return assign(capture, chosen, unassigned(capture))


def rename_segment(collection: Collection, name: str) -> None:
    """Name a segment and its objects.

    Raises:
        CgcError: the name is empty.
    """
    if not name.strip():
        raise CgcError(f"{collection.name} was not renamed: the new name is empty.")
    rename(collection, name.strip())
    of_collection(collection).named = True


def pin(collection: Collection, pinned: bool) -> None:
    """Keep a segment as it is when the granularity changes, or no longer."""
    of_collection(collection).pinned = pinned


def delete_segments(collections: Sequence[Collection]) -> None:
    """Delete segments and their Gaussians; other things in their collections stay."""
    for collection in collections:
        remove_segment(collection)


def _host(collection: Collection) -> Object | None:
    """Return the object of a segment that has most Gaussians."""
    return max(splats_of(collection), key=_count, default=None)


def _count(item: Object) -> int:
    return len(data_of(item).points)


def _forget_clusters(collection: Collection, index: NDArray[np.integer]) -> None:
    """Take Gaussians out of their clusters: no cut of the tree brings them back."""
    for item in splats_of(collection):
        clusters = np.where(np.isin(indices_of(item), index), 0, clusters_of(item))
        point_attributes.write(data_of(item), "cluster", "INT", clusters)
