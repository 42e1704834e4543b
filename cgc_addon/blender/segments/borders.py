# SPDX-License-Identifier: GPL-3.0-or-later
"""Segments grown and shrunk at their borders: the Gaussians there go over to the neighbour."""

from __future__ import annotations

from typing import TYPE_CHECKING

import bpy
import numpy as np
from numpy.typing import NDArray

from ...errors import CgcError
from ...splats.neighbours import nearest_within, typical_spacing
from ..common import point_attributes
from ..common.access import of_collection
from ..common.world_matrix import world_matrix
from ..splats.objects import data_of
from .data import all_segments, splats_of
from .edits import STAYS, assign, hand_over
from .regrouping import is_editable

if TYPE_CHECKING:
    from bpy.types import Collection, Depsgraph, Object


def grow(capture: Collection, collection: Collection, reach: float, unassigned: bool) -> int:
    """Take Gaussians that are near a segment's own into it; it becomes pinned.

    Args:
        capture: of the segment.
        collection: the segment.
        reach: how near, in typical distances between its own Gaussians.
        unassigned: whether those that are in no segment are taken, too.

    Returns:
        How many were taken.

    Raises:
        CgcError: the segment is empty, or none is so near.
    """
    graph = bpy.context.evaluated_depsgraph_get()
    own = _means_of(splats_of(collection), graph)
    distance = reach * typical_spacing(own)
    chosen = {}
    for item in _others(capture, collection, unassigned):
        near = nearest_within(own, world_means(item, graph), distance) >= 0
        if near.any():
            chosen[item] = near
    if not chosen:
        raise CgcError(
            f"{collection.name} has no neighbours so near; give it a longer reach, or paint."
        )
    assign(capture, chosen, collection)
    return sum(int(near.sum()) for near in chosen.values())


def shrink(capture: Collection, collection: Collection, reach: float, unassigned: bool) -> int:
    """Give Gaussians of a segment to neighbours that are near; all of them become pinned.

    Args:
        capture: of the segment.
        collection: the segment.
        reach: how near, in typical distances between its own Gaussians.
        unassigned: whether those in no segment are neighbours, too.

    Returns:
        How many were given away.

    Raises:
        CgcError: no neighbour is so near, or the segment would be empty.
    """
    graph = bpy.context.evaluated_depsgraph_get()
    items = splats_of(collection)
    distance = reach * typical_spacing(_means_of(items, graph))
    others = _others(capture, collection, unassigned)
    targets = [one for one in all_segments(capture) if set(splats_of(one)) & set(others)]
    around = _means_of(others, graph)
    owner_of = {item: n for n, one in enumerate(targets) for item in splats_of(one)}
    owners = np.concatenate(
        [np.zeros(0, np.intp)]
        + [np.full(len(data_of(item).points), owner_of[item]) for item in others]
    )
    moves = {}
    for item in items:
        nearest = nearest_within(around, world_means(item, graph), distance)
        moves[item] = np.where(nearest < 0, STAYS, np.append(owners, STAYS)[nearest])
    given = sum(int((groups != STAYS).sum()) for groups in moves.values())
    if not given:
        raise CgcError(
            f"{collection.name} has no neighbours so near; give it a longer reach, or paint."
        )
    if given == sum(len(groups) for groups in moves.values()):
        raise CgcError(f"Nothing would be left of {collection.name}; give it a shorter reach.")
    hand_over(capture, moves, targets)
    of_collection(collection).pinned = True
    return given


def world_means(item: Object, graph: Depsgraph) -> NDArray[np.float64]:
    """Return the means of a splat's Gaussians (N, 3) in the world."""
    matrix = world_matrix(item, graph)
    means = point_attributes.read(data_of(item), "position").astype(np.float64)
    return means @ matrix[:3, :3].T + matrix[:3, 3]


def _means_of(items: list[Object], graph: Depsgraph) -> NDArray[np.float64]:
    return np.concatenate([np.zeros((0, 3)), *(world_means(item, graph) for item in items)])


def _others(capture: Collection, collection: Collection, unassigned: bool) -> list[Object]:
    """Return the splats of other segments that can be changed."""
    kinds = ("SEGMENT", "UNASSIGNED") if unassigned else ("SEGMENT",)
    others = [
        one
        for one in all_segments(capture)
        if one != collection and of_collection(one).kind in kinds
    ]
    return [item for one in others for item in splats_of(one) if is_editable(item)]
