# SPDX-License-Identifier: GPL-3.0-or-later
"""Segments shown alone come back as they were, in the viewport and in renders."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

bpy = pytest.importorskip("bpy")

from cgc_addon.blender.common.access import of_collection
from cgc_addon.blender.segments.data import all_segments
from cgc_addon.blender.segments.visibility import (
    end_isolation,
    is_hidden,
    isolate,
    layer_collection_of,
    set_hidden,
)

from .tea_set import segment, tea_set


@pytest.fixture
def capture(write_run: Callable[..., Path]) -> bpy.types.Collection:
    return tea_set(write_run())


def hidden(capture: bpy.types.Collection) -> list[tuple[bool, bool]]:
    """Return whether each segment is hidden in the viewport, and in renders."""
    layer = bpy.context.view_layer
    return [(is_hidden(layer, one), one.hide_render) for one in all_segments(capture)]


def test_what_was_hidden_before_is_hidden_after(capture: bpy.types.Collection) -> None:
    layer, (first, second, *_) = bpy.context.view_layer, all_segments(capture)
    set_hidden(layer, second, True)
    second.hide_render = True
    before = hidden(capture)
    assert isolate(layer, capture, [first])
    assert hidden(capture) == [(False, False), *[(True, True)] * 3]
    assert of_collection(capture).isolated
    assert not isolate(layer, capture, [first])
    assert hidden(capture) == before
    assert not of_collection(capture).isolated


def test_isolating_another_one_keeps_what_was_shown_at_first(capture: bpy.types.Collection) -> None:
    layer, before = bpy.context.view_layer, hidden(capture)
    isolate(layer, capture, [segment(capture, 1)])
    assert isolate(layer, capture, [segment(capture, 2)])
    assert not isolate(layer, capture, [segment(capture, 2)])
    assert hidden(capture) == before


def test_an_isolation_that_was_ended_is_forgotten(capture: bpy.types.Collection) -> None:
    layer = bpy.context.view_layer
    isolate(layer, capture, [segment(capture, 1)])
    end_isolation(capture)
    alone = hidden(capture)
    assert isolate(layer, capture, [segment(capture, 1)])  # again: alone is what was shown before
    assert hidden(capture) == alone


def test_a_collection_that_the_layer_lacks_counts_as_hidden() -> None:
    elsewhere = bpy.data.collections.new("elsewhere")
    assert layer_collection_of(bpy.context.view_layer, elsewhere) is None
    assert is_hidden(bpy.context.view_layer, elsewhere)
    set_hidden(bpy.context.view_layer, elsewhere, False)  # nothing to open, and no error
