# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the dependency graph has splats that the extension draws."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from ..splats.objects import is_splat
from ..splats.stand_in import has_stand_in, stand_in_modifier

if TYPE_CHECKING:
    from bpy.types import Depsgraph, Object, SpaceView3D, ViewLayer


@dataclass(frozen=True, eq=False)
class Place:
    """A splat as the dependency graph has it; valid only while that is being walked over."""

    shown: Object
    """Evaluated."""
    item: Object
    owner: Object
    """What stands in the scene: the splat itself, or the object that instances it."""
    matrix: NDArray[np.float64]

    def is_visible(self, layer: ViewLayer, space: SpaceView3D | None) -> bool:
        """Return whether Blender would draw it; of eyes and filters the graph knows nothing."""
        if space is None or self.owner == self.item:
            return self.owner.visible_get(view_layer=layer, viewport=space)
        return self.shown.visible_in_viewport_get(space)


def may_be_drawn(item: Object) -> bool:
    """Return whether an object has the look Splats, even if Blender draws it for the moment."""
    return item.type == "POINTCLOUD" and stand_in_modifier(item) is not None


def _is_drawn(item: Object) -> bool:
    """Return whether an object is a splat that Blender does not draw itself."""
    return has_stand_in(item) and item.mode != "EDIT" and is_splat(item)


def places_of_objects(depsgraph: Depsgraph, items: Iterable[Object]) -> Iterator[Place]:
    """Yield the places of splats that nothing instances, whatever else there is in the scene.

    Args:
        depsgraph: up to date.
        items: all that may be drawn, in this view layer or not.
    """
    inside = set(cast("ViewLayer", depsgraph.view_layer).objects)
    for item in items:
        if item not in inside or not _is_drawn(item):
            continue
        shown = cast("Object", item.evaluated_get(depsgraph))
        yield Place(shown, item, item, np.array(shown.matrix_world, np.float64))


def places_of_instances(depsgraph: Depsgraph) -> Iterator[Place]:
    """Yield the places of splats and of instances of them, out of all that the scene has."""
    drawn: dict[int, bool] = {}
    for instance in depsgraph.object_instances:
        shown = cast("Object", instance.object)
        if shown.type != "POINTCLOUD" or not instance.show_self:
            continue
        item = cast("Object", shown.original)
        identifier = item.session_uid
        if identifier not in drawn:
            drawn[identifier] = _is_drawn(item)
        if drawn[identifier]:
            owner = cast("Object", instance.parent.original) if instance.parent else item
            yield Place(shown, item, owner, np.array(instance.matrix_world, np.float64))
