# SPDX-License-Identifier: GPL-3.0-or-later
"""What the list of segments shows and sets: answers are read from Blender itself, none is stored.

So the list and the rest of Blender cannot disagree, whichever the user clicks in. These functions
are behind properties, which may neither raise nor show a message.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import bpy

from ..common.context import members_of
from .data import collection_of, splats_of
from .visibility import layer_collection_of

if TYPE_CHECKING:
    from bpy.types import Collection, Object, ViewLayer


def active_segment() -> Collection | None:
    """Return the segment of the active object."""
    layer = _view_layer()
    active = layer.objects.active if layer else None
    return None if active is None else collection_of(active)


def make_active(collection: Collection) -> None:
    """Select the splats of a segment and nothing else.

    In a mode other than object mode nothing happens: Blender would leave other objects in it.
    """
    layer = _view_layer()
    splats = _splats_in(layer, collection)
    if layer is None or not splats or bpy.context.mode != "OBJECT":
        return
    for item in list(layer.objects.selected):
        item.select_set(False)
    for item in splats:
        item.select_set(True)
    layer.objects.active = splats[0]  # that can be a hidden one, which is not selected then


def is_selected(collection: Collection) -> bool:
    """Return whether a splat of a segment is selected."""
    return any(item.select_get() for item in splats_of(collection))


def select(collection: Collection, on: bool) -> None:
    """Select or deselect the splats of a segment, beside what is selected already."""
    layer = _view_layer()
    splats = _splats_in(layer, collection)
    if layer is None or not splats or bpy.context.mode != "OBJECT":
        return
    for item in splats:
        item.select_set(on)
    if on:
        layer.objects.active = splats[0]


def is_shown(collection: Collection) -> bool:
    """Return whether the viewport shows a splat of a segment."""
    return any(item.visible_get() for item in splats_of(collection))


def show(collection: Collection, on: bool) -> None:
    """Show or hide a segment in viewports, renders, masks and exports.

    Showing undoes every way of hiding that Blender has, except that of collections further out.
    """
    collection.hide_viewport = collection.hide_render = not on
    if not on:
        return
    layer = _view_layer()
    below = layer_collection_of(layer, collection) if layer else None
    if below is not None:
        below.exclude = below.hide_viewport = False
    for item in splats_of(collection):
        item.hide_viewport = item.hide_render = False
    for item in _splats_in(layer, collection):
        item.hide_set(False)


def only_in_renders(collection: Collection) -> bool:
    """Return whether renders show a segment that the viewport does not."""
    if collection.hide_render:
        return False
    splats = splats_of(collection)
    return any(not item.hide_render for item in splats) and not any(
        item.visible_get() for item in splats
    )


def _view_layer() -> ViewLayer | None:
    return members_of(bpy.context).view_layer


def _splats_in(layer: ViewLayer | None, collection: Collection) -> list[Object]:
    """Return the splats that a view layer has; others cannot be selected."""
    if layer is None:
        return []
    return [item for item in splats_of(collection) if layer.objects.get(item.name) == item]
