# SPDX-License-Identifier: GPL-3.0-or-later
"""Gaussians change segments, and stay where they are in the world.

Everything that alters which Gaussian belongs to which segment comes down to `regroup`: it reads
first, writes then, and touches no object whose Gaussians stay the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import bpy
import numpy as np
from numpy.typing import NDArray

from ...cgc.segments import automatic_name
from ...errors import CgcError
from ...splats.gaussians import Gaussians
from ...splats.select import concatenate, subset
from ..capture.parts import root_of
from ..common.access import of_collection, of_object
from ..common.world_matrix import world_matrix
from ..splats import looks
from ..splats.objects import (
    clusters_of,
    data_of,
    gaussians_of,
    indices_of,
    is_splat,
    replace_gaussians,
)
from ..splats.origins import gaussians_in_frame, is_animated, move_origin, own_middle, stands_in
from .data import (
    add_splat,
    automatic_color,
    collection_of,
    free_identifiers,
    new_segment,
    number_apart,
    remove_segment,
    remove_splat,
    splats_of,
)

if TYPE_CHECKING:
    from bpy.types import Collection, Depsgraph, Object

SAME_PLACE = 1e-6
"""Matrices closer to the identity than this leave the numbers as they are."""


@dataclass(frozen=True)
class Target:
    """Where a group of Gaussians goes."""

    collection: Collection | None
    """None makes a new segment."""
    host: Object | None
    """The object that takes them in and keeps its transform, name, modifiers and properties; one
    of those regrouped. None makes a new object, like the one that gives most of them."""


@dataclass(frozen=True, eq=False)
class _Filling:
    """All that is needed to write one target."""

    target: Target
    pattern: Object
    """Gives most of the Gaussians."""
    gaussians: Gaussians
    """In the frame that the host stands in, or the object to be made, or in their own space."""
    origin: NDArray[np.float64] | None
    """(3,) where they stand in that frame; None if it is their own space."""
    index: NDArray[np.int32]
    clusters: NDArray[np.int32]


def regroup(
    capture: Collection,
    items: Sequence[Object],
    groups: Sequence[NDArray[np.integer]],
    targets: Sequence[Target],
) -> list[Collection | None]:
    """Hand out the Gaussians of some objects anew.

    Objects and segments that keep no Gaussian are removed.

    Args:
        capture: the objects are in.
        items: splats.
        groups: for each object (N,) which target each of its Gaussians goes to.
        targets: one that gets nothing is not made.

    Returns:
        The collection of each target, None where it got nothing.

    Raises:
        CgcError: an object is linked, flat, or moved by something that is switched off, or too
            many segments would be there; nothing has been changed.
    """
    settled = _settled(items, groups, targets)
    moving = [number for number in range(len(items)) if number not in settled]
    for number in moving:
        _check_editable(items[number])
    fillings = _fillings(
        capture, [items[number] for number in moving], [groups[n] for n in moving], targets
    )
    number_apart(capture)
    wanted = sum(filling.target.collection is None for filling in fillings.values())
    identifiers = iter(free_identifiers(capture, wanted))
    sources = {collection_of(items[number]) for number in moving} - {None}

    filled: list[Collection | None] = [None] * len(targets)
    for number in settled.values():
        filled[number] = targets[number].collection
    for number, filling in fillings.items():
        collection = filling.target.collection
        if collection is None:
            identifier = next(identifiers)
            name, color = automatic_name(identifier), automatic_color(identifier)
            collection = new_segment(capture, identifier, name, color)
        _write(capture, collection, filling)
        filled[number] = collection
    hosts = {filling.target.host for filling in fillings.values()}
    for number in moving:
        if items[number] not in hosts:
            remove_splat(items[number])
    for collection in sources:
        if collection is not None and not splats_of(collection):
            remove_segment(collection)
    return filled


def is_editable(item: Object) -> bool:
    """Return whether an object and its data are this file's own."""
    return item.is_editable and data_of(item).is_editable


def _check_editable(item: Object) -> None:
    if not is_editable(item):
        raise CgcError(f"{item.name} is linked from another file; make it local first.")


def _settled(
    items: Sequence[Object],
    groups: Sequence[NDArray[np.integer]],
    targets: Sequence[Target],
) -> dict[int, int]:
    """Return which objects already are what their target will be, and which target that is."""
    totals = np.zeros(len(targets), np.int64)
    for group in groups:
        totals += np.bincount(group, minlength=len(targets))
    settled = {}
    for number, (item, group) in enumerate(zip(items, groups, strict=True)):
        if len(group) and (group == group[0]).all() and totals[group[0]] == len(group):
            target = targets[int(group[0])]
            if target.host == item and target.collection is not None:
                settled[number] = int(group[0])
    return settled


def _fillings(
    capture: Collection,
    items: Sequence[Object],
    groups: Sequence[NDArray[np.integer]],
    targets: Sequence[Target],
) -> dict[int, _Filling]:
    """Read objects and sort their Gaussians by target, each in the order of the run's splat."""
    if not items:
        return {}
    depsgraph = bpy.context.evaluated_depsgraph_get()
    index = np.concatenate([indices_of(item) for item in items])
    clusters = np.concatenate([clusters_of(item) for item in items])
    source = np.repeat(np.arange(len(items)), [len(group) for group in groups])
    starts_of = np.cumsum([0, *(len(group) for group in groups)])
    group = np.concatenate(groups)
    order = np.lexsort((index, group))
    starts = np.searchsorted(group[order], np.arange(len(targets) + 1))
    worlds = [world_matrix(item, depsgraph) for item in items]
    carried: dict[tuple[int, bytes], Gaussians] = {}
    fillings = {}
    for number, target in enumerate(targets):
        rows = order[starts[number] : starts[number + 1]]
        if not len(rows):
            continue
        pattern = items[int(np.bincount(source[rows]).argmax())]
        frame_of = target.host or _pattern_or_root(capture, target, pattern)
        frame, origin = _frame(frame_of, depsgraph)
        pieces, places = [], []
        for giver in np.unique(source[rows]):
            key = (int(giver), frame.tobytes())
            if key not in carried:
                carried[key] = _carried(items[giver], worlds[giver], frame_of, frame)
            places.append(np.flatnonzero(source[rows] == giver))
            pieces.append(subset(carried[key], rows[places[-1]] - starts_of[giver]))
        part = subset(concatenate(pieces), np.argsort(np.concatenate(places)))
        fillings[number] = _Filling(target, pattern, part, origin, index[rows], clusters[rows])
    return fillings


def _frame(
    frame_of: Object, depsgraph: Depsgraph
) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
    """Return the frame (4, 4) in which an object's Gaussians are best counted, and its place in it.

    That is its parent's where the object only stands somewhere in it, else its own space.
    """
    world = world_matrix(frame_of, depsgraph)
    if frame_of.parent is not None and is_splat(frame_of):
        outer = world_matrix(frame_of.parent, depsgraph)
        offset = stands_in(frame_of, world, outer)
        if offset is not None:
            return outer, offset
    return world, None


def _pattern_or_root(capture: Collection, target: Target, pattern: Object) -> Object:
    """Return the object in whose frame a new one will be: Unassigned is nobody's copy."""
    if target.collection is not None and of_collection(target.collection).kind == "UNASSIGNED":
        return root_of(capture)
    return pattern


def _carried(
    item: Object, world: NDArray[np.float64], frame_of: Object, frame: NDArray[np.float64]
) -> Gaussians:
    """Return the Gaussians of an object, which is at `world` (4, 4), in a frame (4, 4).

    Args:
        item: whose.
        world: of the object.
        frame_of: the object that the frame is chosen for.
        frame: in the world.
    """
    try:
        to_frame = np.linalg.inv(frame)
    except np.linalg.LinAlgError:
        raise CgcError(
            f"{frame_of.name} has a scale of zero, so nothing can be put into it; "
            "give every axis a scale first."
        ) from None
    if np.allclose(to_frame @ world, np.eye(4), rtol=0.0, atol=SAME_PLACE):
        world = frame
    try:
        return gaussians_in_frame(item, world, frame, to_frame)
    except CgcError as error:
        raise CgcError(f"{item.name}: {error}") from error


def _write(capture: Collection, collection: Collection, filling: _Filling) -> None:
    segment = of_collection(collection).segment
    count = len(filling.gaussians)
    gaussians = replace(filling.gaussians, segments=np.full(count, segment, np.int32))
    item = filling.target.host
    if item is None and of_collection(collection).kind == "UNASSIGNED":
        root = root_of(capture)
        looks.apply_look(add_splat(collection, root, gaussians, filling.index, filling.clusters))
        return
    if item is None:
        # Whatever a person gave the object that a piece comes from holds for the piece as well.
        item = filling.pattern.copy()
        item.data = data_of(filling.pattern).copy()
        item.name = item.data.name = collection.name
        item.hide_viewport = item.hide_render = False
        of_object(item).kind = "SPLAT"
        collection.objects.link(item)
        looks.show_segment_color(collection)
    elif data_of(item).users > 1:
        item.data = data_of(item).copy()
    replace_gaussians(item, gaussians, filling.index, filling.clusters, filling.origin)
    if filling.target.host is None and not is_animated(item):
        _give_own_origin(item)


def _give_own_origin(item: Object) -> None:
    """Let a new object turn around its own middle, not around that of what it was a part of."""
    basis = np.array(item.matrix_basis, dtype=np.float64)
    middle = own_middle(gaussians_of(item), basis[:3, :3])
    move_origin(item, basis[:3, :3] @ middle + basis[:3, 3])
