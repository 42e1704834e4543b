# SPDX-License-Identifier: GPL-3.0-or-later
"""Segments in a view layer: hidden, or shown alone until everything is as it was."""

from __future__ import annotations

from collections.abc import Collection as Group
from typing import TYPE_CHECKING

from ..common.access import of_collection
from .data import all_segments

if TYPE_CHECKING:
    from bpy.types import Collection, LayerCollection, ViewLayer


def layer_collection_of(view_layer: ViewLayer, collection: Collection) -> LayerCollection | None:
    """Return where a view layer has a collection; None if it does not."""
    waiting = [view_layer.layer_collection]
    while waiting:
        candidate = waiting.pop()
        if candidate.collection == collection:
            return candidate
        waiting.extend(candidate.children)
    return None


def is_hidden(view_layer: ViewLayer, collection: Collection) -> bool:
    """Return whether the eye of a collection is closed; also where the layer has none of it."""
    found = layer_collection_of(view_layer, collection)
    return found is None or found.hide_viewport


def set_hidden(view_layer: ViewLayer, collection: Collection, hidden: bool) -> None:
    """Close or open the eye of a collection."""
    found = layer_collection_of(view_layer, collection)
    if found is not None:
        found.hide_viewport = hidden


def isolate(view_layer: ViewLayer, capture: Collection, alone: Group[Collection]) -> bool:
    """Show some segments alone, in viewports, renders, masks and exports.

    If they are alone already, show what was shown before.

    Args:
        view_layer: the capture is in.
        capture: whose other segments, Unassigned included, are hidden.
        alone: of its segments.

    Returns:
        Whether they are alone now.
    """
    segments = all_segments(capture)
    isolated = of_collection(capture).isolated
    if isolated and all(is_hidden(view_layer, one) == (one not in alone) for one in segments):
        for one in segments:
            in_viewport, one.hide_render = of_collection(one).hidden_before
            set_hidden(view_layer, one, in_viewport)
        end_isolation(capture)
        return False
    for one in segments:
        if not isolated:
            of_collection(one).hidden_before = (is_hidden(view_layer, one), one.hide_render)
        set_hidden(view_layer, one, one not in alone)
        one.hide_render = one not in alone
    of_collection(capture).isolated = True
    return True


def end_isolation(capture: Collection) -> None:
    """Forget what was shown before segments were isolated."""
    for one in all_segments(capture):
        of_collection(one).hidden_before = (False, False)
    of_collection(capture).isolated = False
