# SPDX-License-Identifier: GPL-3.0-or-later
"""The bin: a hidden collection of Gaussians that were cleaned out of splats, each to be restored.

What comes from one object is one object in the bin, its child, and so goes where it goes. The bin
is no segment: recutting, showing all and exporting leave it alone. A capture has its own; splats in
no capture share one beside them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import bpy
import numpy as np
from mathutils import Matrix
from numpy.typing import NDArray

from ...errors import CgcError
from ...splats.gaussians import Gaussians
from ...splats.placing import carried
from ...splats.select import concatenate, subset
from ..capture.parts import capture_of, mark, part, root_of
from ..common.access import of_collection
from ..common.world_matrix import world_matrix
from ..splats import looks
from ..splats.objects import (
    clusters_of,
    data_of,
    gaussians_of,
    indices_of,
    is_splat,
    new_splat,
    replace_gaussians,
)
from .data import remove_splat, unassigned
from .regrouping import is_editable

if TYPE_CHECKING:
    from bpy.types import Collection, Object, Scene

_UNMOVED = 1e-5
"""Of the numbers of a matrix that is the product of one and its inverse, in 32 bits."""
NAME = "Bin"


def is_in_bin(item: Object) -> bool:
    """Return whether an object is in a bin."""
    return any(of_collection(one).kind == "BIN" for one in item.users_collection)


def binned(scene: Scene) -> list[Object]:
    """Return the objects in all bins of a scene."""
    bins = [c for c in scene.collection.children_recursive if of_collection(c).kind == "BIN"]
    return [item for one in bins for item in one.objects if is_splat(item)]


def binned_of(item: Object) -> Object | None:
    """Return the object in the bin that holds what was cleaned out of a splat."""
    return next((one for one in item.children if is_splat(one) and is_in_bin(one)), None)


def move_to_bin(scene: Scene, item: Object, chosen: NDArray[np.bool_]) -> None:
    """Take Gaussians out of a splat and put them into the bin.

    Args:
        scene: the splat is in.
        item: splat of N Gaussians, this file's own; data that others share becomes its own.
        chosen: (N,) which to take, not all.

    Raises:
        CgcError: the splat is linked from another file, or has lost an attribute.
    """
    if not is_editable(item):
        raise CgcError(f"{item.name} is linked from another file; make it local first.")
    if not chosen.any():
        return
    everything = _content(item)
    waste = everything.subset(chosen)
    known = binned_of(item)
    if known is None:
        known = new_splat(f"{item.name} (bin)", *waste.parts())
        _bin_for(scene, item).objects.link(known)
        known.parent = item
        _keep_place(known, item)
        looks.apply_look(known, scene)
    else:
        waste = _together(_content(known), _carried(waste, _offset(known).inverted()))
        replace_gaussians(known, *waste.parts())
    if data_of(item).users > 1:
        item.data = data_of(item).copy()
    replace_gaussians(item, *everything.subset(~chosen).parts())


def restore(scene: Scene, items: Iterable[Object]) -> int:
    """Put Gaussians from the bin back into the objects they came from.

    Where such an object is gone, they become unassigned, or, in no capture, an object of their own.

    Args:
        scene: the bin is in.
        items: objects in it.

    Returns:
        How many Gaussians were restored.

    Raises:
        CgcError: an object they belong to is linked, or has a scale of zero; those before it have
            been restored.
    """
    count = 0
    for item in items:
        origin = item.parent
        count += len(data_of(item).points)
        if origin is not None and is_splat(origin):
            _give_back(item, origin)
        else:
            _set_free(scene, item)
    remove_empty_bins(scene)
    return count


def empty_bin(capture: Collection) -> None:
    """Delete what is in the bin of a capture for good."""
    for one in [c for c in capture.children_recursive if of_collection(c).kind == "BIN"]:
        for item in [item for item in one.objects if is_splat(item)]:
            remove_splat(item)
        _remove_if_empty(one)


def remove_empty_bins(scene: Scene) -> None:
    """Remove the bins of a scene that have nothing in them."""
    for one in scene.collection.children_recursive:
        if of_collection(one).kind == "BIN":
            _remove_if_empty(one)


@dataclass(frozen=True, eq=False)
class _Content:
    """Gaussians of an object, with what ties them to the run they came from."""

    gaussians: Gaussians
    index: NDArray[np.int32]
    clusters: NDArray[np.int32]

    def parts(self) -> tuple[Gaussians, NDArray[np.int32], NDArray[np.int32]]:
        return self.gaussians, self.index, self.clusters

    def subset(self, chosen: NDArray[np.bool_] | NDArray[np.integer]) -> _Content:
        return _Content(subset(self.gaussians, chosen), self.index[chosen], self.clusters[chosen])


def _content(item: Object) -> _Content:
    return _Content(gaussians_of(item), indices_of(item), clusters_of(item))


def _carried(content: _Content, matrix: Matrix) -> _Content:
    return replace(
        content, gaussians=carried(content.gaussians, np.array(matrix, dtype=np.float64))
    )


def _of_segment(content: _Content, other: _Content) -> _Content:
    """Give Gaussians the segment that others have, if these have any."""
    segments = other.gaussians.segments
    if segments is not None and len(segments):
        segments = np.full(len(content.index), segments[0], np.int32)
    return replace(content, gaussians=replace(content.gaussians, segments=segments))


def _together(first: _Content, second: _Content) -> _Content:
    """Return the Gaussians of both in the order of the run's splat."""
    both = _Content(
        concatenate([first.gaussians, second.gaussians]),
        np.concatenate([first.index, second.index]),
        np.concatenate([first.clusters, second.clusters]),
    )
    return both.subset(np.argsort(both.index, kind="stable"))


def _keep_place(item: Object, origin: Object) -> None:
    """Let an object that follows another stay where it is now when that one is deleted."""
    depsgraph = bpy.context.evaluated_depsgraph_get()
    place = Matrix(world_matrix(origin, depsgraph).tolist())
    capture = capture_of(origin)
    if capture is not None:
        frame = Matrix(world_matrix(root_of(capture), depsgraph).tolist())
        place = frame.inverted_safe() @ place
    if abs(place.determinant()) > 0.0:
        item.matrix_basis, item.matrix_parent_inverse = place, place.inverted_safe()


def _offset(item: Object) -> Matrix:
    """Return the matrix from an object's space to that of its parent."""
    offset = item.matrix_parent_inverse @ item.matrix_basis
    unmoved = np.allclose(np.array(offset), np.eye(4), rtol=0.0, atol=_UNMOVED)
    return Matrix.Identity(4) if unmoved else offset


def _bin_for(scene: Scene, item: Object) -> Collection:
    capture = capture_of(item)
    if capture is not None:
        found = part(capture, "BIN", NAME)
    else:
        outside = (c for c in scene.collection.children if of_collection(c).kind == "BIN")
        found = next(outside, None)
        if found is None:
            found = bpy.data.collections.new(NAME)
            mark(found, "BIN")
            scene.collection.children.link(found)
    found.hide_viewport = found.hide_render = True
    return found


def _give_back(item: Object, origin: Object) -> None:
    if not is_editable(origin):
        raise CgcError(f"{origin.name} is linked from another file; make it local first.")
    there = _content(origin)
    try:
        back = _carried(_content(item), _offset(item))
    except CgcError as error:
        raise CgcError(f"{item.name}: {error}") from error
    if data_of(origin).users > 1:
        origin.data = data_of(origin).copy()
    replace_gaussians(origin, *_together(there, _of_segment(back, there)).parts())
    remove_splat(item)


def _set_free(scene: Scene, item: Object) -> None:
    capture = capture_of(item)
    target = scene.collection if capture is None else unassigned(capture)
    for one in item.users_collection:
        one.objects.unlink(item)
    item.parent = None if capture is None else root_of(capture)
    item.matrix_parent_inverse = Matrix.Identity(4)
    target.objects.link(item)
    looks.apply_look(item, scene)


def _remove_if_empty(collection: Collection) -> None:
    if not collection.objects and not collection.children:
        bpy.data.collections.remove(collection)
