# SPDX-License-Identifier: GPL-3.0-or-later
"""The splats of a scene as they stand: what is seen, where, how often, as which segment.

Rendering and export begin here. Blender's dependency graph says which objects are there, with
parents, animation, drivers and instances taken into account; the Gaussians come from the objects
themselves, so that a look changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, cast

import bpy
import numpy as np
from numpy.typing import NDArray

from ...errors import CgcError
from ...splats.gaussians import Gaussians
from ...splats.placing import source_order
from ...splats.select import concatenate, subset
from ..common.access import of_collection
from ..segments.bin import is_in_bin
from ..segments.data import collection_of
from ..splats.ellipsoids import ellipsoid_modifier
from ..splats.objects import indices_of, is_splat
from ..splats.origins import gaussians_in_frame

if TYPE_CHECKING:
    from bpy.types import Depsgraph, LayerCollection, Object, ViewLayer

Visibility = Literal["VIEWPORT", "RENDER", "ALL"]
"""What counts as visible: as the viewport shows it, as a render does, or hidden ones too, but those
in the bin."""
_EYE = "eye"
"""Stands for the eye in the outliner, which objects have as functions, not as a property."""
_Change = tuple[Any, str, object]
"""Whose setting, which, and the value it shall have for a moment."""


@dataclass(frozen=True, eq=False)
class PlacedSplat:
    """One appearance of a splat in the scene."""

    object: Object
    """The object in the file, not its evaluated copy."""
    matrix: NDArray[np.float64]
    """(4, 4) from the object's space to the world, column convention."""
    segment: int | None
    """Id of the segment whose collection the object is in, 0 in Unassigned, None in neither: then
    each Gaussian's own counts."""
    holdout: bool = False
    """Whether it cuts a hole into the picture: it, or a collection that it is in, is a holdout."""


def visible_splats(
    depsgraph: Depsgraph,
    only: Collection[Object] | None = None,
    visibility: Visibility = "VIEWPORT",
) -> list[PlacedSplat]:
    """Return the splats that a scene shows, instances one by one.

    Args:
        depsgraph: of the view layer, up to date, such as `context.evaluated_depsgraph_get()`.
        only: leave out all but these objects and what these objects instance.
        visibility: excluded collections never count.
    """
    chosen = None if only is None else set(only)
    layer = cast("ViewLayer", depsgraph.view_layer)
    placed: list[PlacedSplat] = []
    with _shown(depsgraph, visibility):
        for instance in depsgraph.object_instances:
            evaluated = cast("Object", instance.object)
            if evaluated.type != "POINTCLOUD" or not instance.show_self:
                continue
            item = cast("Object", evaluated.original)
            if not is_splat(item) or (visibility == "ALL" and is_in_bin(item)):
                continue
            # What stands in the scene: the object, or the one that instances it.
            owner = cast("Object", instance.parent.original) if instance.parent else item
            if chosen is not None and item not in chosen and owner not in chosen:
                continue
            # The graph does not know the eyes of collections.
            if depsgraph.mode == "VIEWPORT" and not owner.visible_get(view_layer=layer):
                continue
            matrix = np.array(instance.matrix_world, dtype=np.float64)
            holdout = owner.is_holdout or owner.holdout_get(view_layer=layer)
            placed.append(PlacedSplat(item, matrix, segment_of(item), holdout))
    return placed


def segment_of(item: Object) -> int | None:
    """Return the id of the segment whose collection an object is in, 0 for Unassigned."""
    collection = collection_of(item)
    if collection is None:
        return None
    settings = of_collection(collection)
    return settings.segment if settings.kind == "SEGMENT" else 0


def gather(placed: Sequence[PlacedSplat], frame: NDArray[np.float64] | None = None) -> Gaussians:
    """Return all Gaussians in one frame, transforms applied.

    An object that was not moved in `frame` keeps its numbers to the last bit. Where no Gaussian is
    there twice, they stand in the order of the splat they came from.

    Args:
        placed: what to take; no Gaussians come of nothing.
        frame: (4, 4) world matrix of the frame wanted, None for the world itself.

    Raises:
        CgcError: an object or the frame has a scale of zero, or an attribute is lost.
    """
    if not placed:
        return _nothing()
    if frame is None:
        frame = np.eye(4)
    try:
        to_frame = np.linalg.inv(frame)
    except np.linalg.LinAlgError:
        raise CgcError(
            "The root Empty of the capture has a scale of zero; give every axis a scale first."
        ) from None
    parts = [_carried(splat, frame, to_frame) for splat in placed]
    indices = [indices_of(splat.object) for splat in placed]
    together = concatenate(parts)
    order = source_order(np.concatenate(indices))
    return together if order is None else subset(together, order)


def _carried(
    splat: PlacedSplat, frame: NDArray[np.float64], to_frame: NDArray[np.float64]
) -> Gaussians:
    """Return the Gaussians of one appearance, with its segment, in a frame."""
    try:
        gaussians = gaussians_in_frame(splat.object, splat.matrix, frame, to_frame)
    except CgcError as error:
        raise CgcError(f"{splat.object.name}: {error}") from error
    if splat.segment is None:
        return gaussians
    return replace(gaussians, segments=np.full(len(gaussians), splat.segment, dtype=np.int32))


def _nothing() -> Gaussians:
    return Gaussians(
        means=np.zeros((0, 3), dtype=np.float32),
        log_scales=np.zeros((0, 3), dtype=np.float32),
        quats=np.zeros((0, 4), dtype=np.float32),
        logit_opacities=np.zeros(0, dtype=np.float32),
        sh=np.zeros((0, 1, 3), dtype=np.float32),
        segments=np.zeros(0, dtype=np.int32),
    )


@contextmanager
def _shown(depsgraph: Depsgraph, visibility: Visibility) -> Iterator[None]:
    """Show the splats wanted, each as one point cloud, for as long as the block runs.

    Blender gives scripts only the graph of the viewport. So what a render would show is, for this
    moment, shown there; and ellipsoids are switched off, which would hide the object behind one
    instance for each of its Gaussians.
    """
    if depsgraph.mode == "RENDER":
        yield
        return
    layer = cast("ViewLayer", depsgraph.view_layer)
    with ExitStack() as restore:
        changes = list(_ellipsoids_off())
        if visibility != "VIEWPORT":
            changes += _unhidden(layer, visibility == "RENDER")
        changed = False
        for owner, name, value in changes:
            old = _get(layer, owner, name)
            if old != value:
                changed = True
                restore.callback(_set, layer, owner, name, old)
                _set(layer, owner, name, value)
        if changed:
            depsgraph.update()
        yield
    if changed:
        depsgraph.update()


def _ellipsoids_off() -> Iterator[_Change]:
    for item in bpy.data.objects:
        modifier = ellipsoid_modifier(item)
        if modifier is not None:
            yield modifier, "show_viewport", False


def _unhidden(layer: ViewLayer, as_render: bool) -> Iterator[_Change]:
    """Yield what shows in the viewport what a render shows, or everything."""
    for collection in bpy.data.collections:
        yield collection, "hide_viewport", as_render and collection.hide_render
    for below in _layer_collections(layer.layer_collection):
        yield below, "hide_viewport", False
    in_layer = set(layer.objects)
    for item in bpy.data.objects:
        # Hidden meshes stay hidden: they take time to evaluate and hold no Gaussians.
        if is_splat(item) or item.is_instancer or any(m.type == "NODES" for m in item.modifiers):
            yield item, "hide_viewport", as_render and item.hide_render
            if item in in_layer:
                yield item, _EYE, False


def _layer_collections(collection: LayerCollection) -> Iterator[LayerCollection]:
    for child in collection.children:
        yield child
        yield from _layer_collections(child)


def _get(layer: ViewLayer, owner: Any, name: str) -> object:
    return owner.hide_get(view_layer=layer) if name == _EYE else getattr(owner, name)


def _set(layer: ViewLayer, owner: Any, name: str, value: object) -> None:
    if name == _EYE:
        owner.hide_set(value, view_layer=layer)
    else:
        setattr(owner, name, value)
