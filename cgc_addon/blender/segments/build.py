# SPDX-License-Identifier: GPL-3.0-or-later
"""A run becomes collections: one for each segment, with one point cloud of its Gaussians."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...cgc.segments import Segment
from ...splats.gaussians import Gaussians
from ...splats.select import subset
from ..capture.later_versions import check_version
from ..capture.parts import objects_of_kind, root_of
from ..common.access import of_collection, of_object
from ..splats import looks
from ..splats.objects import indices_of, replace_gaussians
from .bin import empty_bin
from .data import (
    add_splat,
    all_segments,
    has_automatic_color,
    has_automatic_name,
    new_segment,
    remove_segment,
    rename,
    splats_of,
    unassigned,
)
from .merge_tree import store_tree
from .run_files import RunFiles

if TYPE_CHECKING:
    from bpy.types import Collection, Object, Scene


@dataclass(frozen=True)
class Built:
    """What an import did to the segments of a capture."""

    kept: int
    """Segments with the same Gaussians as before: only their data is new."""
    made: int
    removed: int
    unassigned: int
    """Gaussians that belong to no segment."""


@dataclass(frozen=True, eq=False)
class _Part:
    """The Gaussians of one segment of a run, in the order of the run's splat."""

    gaussians: Gaussians
    index: NDArray[np.int32]
    """(M,) rising."""
    clusters: NDArray[np.int32]
    """(M,)."""


def build_segments(scene: Scene, capture: Collection, run: RunFiles) -> Built:
    """Bring a capture's segments in line with a run.

    A segment that has the same Gaussians as before keeps its objects: transforms, modifiers, and
    the name and colour that a person gave it. All others are replaced, whoever made them.

    Args:
        scene: whose look new splats get.
        capture: with its root.
        run: as read; its Gaussians are in the capture's frame.

    Raises:
        CgcError: the capture has lost its root, or a later version of the extension wrote it.
    """
    check_version(capture)
    root = root_of(capture)
    if not objects_of_kind(capture, "SPLAT"):
        _hide_points(scene, capture)
    empty_bin(capture)  # the run brings its Gaussians anew
    parts = _parts(run)
    kept = _kept(capture, parts, run)
    replaced = [old for old in all_segments(capture) if old not in kept.values()]
    removed = sum(of_collection(old).kind == "SEGMENT" for old in replaced)
    for old in replaced:
        remove_segment(old)
    for collection in kept.values():
        _refresh(collection, run)
    _renumber(kept, run)
    for segment in run.segments.segments:
        if segment.id not in kept:
            made = new_segment(capture, segment.id, segment.name, _color(segment))
            of_collection(made).pinned = segment.pinned
            _fill(scene, made, root, parts[segment.id])
    rest = unassigned(capture)
    if 0 in parts and 0 not in kept:
        _fill(scene, rest, root, parts[0])

    properties = of_collection(capture)
    properties.run = str(run.path)
    properties.granularity = run.granularity
    properties.minimum_size = run.minimum_size
    store_tree(capture, run.tree)
    same = sum(identifier > 0 for identifier in kept)
    return Built(
        kept=same,
        made=len(run.segments) - same,
        removed=removed,
        unassigned=len(parts[0].index) if 0 in parts else 0,
    )


def _hide_points(scene: Scene, capture: Collection) -> None:
    """Hide the sparse points, which would stick out of the splats; the eye shows them again."""
    for item in objects_of_kind(capture, "POINTS"):
        item.hide_render = True
        for layer in scene.view_layers:
            layer.update()  # it may not know the points yet
            if item.name in layer.objects:
                item.hide_set(True, view_layer=layer)


def _parts(run: RunFiles) -> dict[int, _Part]:
    """Take a run apart by segment, 0 for what belongs to none."""
    labels = run.gaussians.segments
    assert labels is not None
    order = np.argsort(labels, kind="stable").astype(np.int32)
    identifiers, starts = np.unique(labels[order], return_index=True)
    return {
        int(identifier): _Part(subset(run.gaussians, index), index, run.clusters[index])
        for identifier, index in zip(identifiers, np.split(order, starts[1:]), strict=True)
    }


def _kept(capture: Collection, parts: dict[int, _Part], run: RunFiles) -> dict[int, Collection]:
    """Return which collections have the very Gaussians of a segment of the run, by its number."""
    labels = run.gaussians.segments
    assert labels is not None
    kept: dict[int, Collection] = {}
    for collection in all_segments(capture):
        indices = [indices_of(item) for item in splats_of(collection)]
        index = np.unique(np.concatenate(indices)) if indices else np.zeros(0, np.int32)
        if not len(index) or index[-1] >= len(labels):
            continue
        identifier = int(labels[index[0]])
        fitting = (identifier > 0) == (of_collection(collection).kind == "SEGMENT")
        if fitting and identifier not in kept and np.array_equal(index, parts[identifier].index):
            kept[identifier] = collection
    return kept


def _refresh(collection: Collection, run: RunFiles) -> None:
    for item in splats_of(collection):
        index = indices_of(item)
        gaussians = subset(run.gaussians, index)
        origin = np.array(of_object(item).origin[:], np.float64)
        replace_gaussians(item, gaussians, index, run.clusters[index], origin)


def _renumber(kept: dict[int, Collection], run: RunFiles) -> None:
    """Give kept segments the numbers of the run, and its names and colours where nobody chose."""
    automatic = []
    for segment in run.segments.segments:
        collection = kept.get(segment.id)
        if collection is None:
            continue
        if has_automatic_name(collection) and collection.name != segment.name:
            rename(collection, f"~{segment.id}")  # its name may be that of the next one
            automatic.append((collection, segment.name))
        of_collection(collection).pinned |= segment.pinned
        recolored = has_automatic_color(collection)
        of_collection(collection).segment = segment.id
        if recolored:
            of_collection(collection).color = _color(segment)
    for collection, name in automatic:
        rename(collection, name)


def _color(segment: Segment) -> tuple[float, float, float]:
    red, green, blue = segment.color
    return red / 255, green / 255, blue / 255


def _fill(scene: Scene, collection: Collection, root: Object, part: _Part) -> None:
    item = add_splat(collection, root, part.gaussians, part.index, part.clusters)
    looks.apply_look(item, scene)
