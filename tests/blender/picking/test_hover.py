# SPDX-License-Identifier: GPL-3.0-or-later
"""The segment under the mouse is named, and the move of the mouse goes on to others."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("bpy")

import bpy
from mathutils import Matrix

from cgc_addon.blender.picking import hover
from cgc_addon.blender.picking.hover import CGC_OT_hover, hovered_text

from .row_of_things import EACH, PLATES, SIZE, VIEW, pixel, row_of_things

PASSED = {"PASS_THROUGH"}


def move_to(x: float, y: float) -> set[str]:
    bpy.context.view_layer.update()
    matrices = {
        name: Matrix(np.reshape(VIEW[name], (4, 4)).tolist())
        for name in ("view_matrix", "window_matrix")
    }
    context = SimpleNamespace(
        area=SimpleNamespace(regions=[]),
        evaluated_depsgraph_get=bpy.context.evaluated_depsgraph_get,
        region=SimpleNamespace(width=SIZE, height=SIZE, as_pointer=lambda: 7),
        region_data=SimpleNamespace(**matrices),
        scene=bpy.context.scene,
        space_data=None,
        view_layer=bpy.context.view_layer,
    )
    event = SimpleNamespace(mouse_region_x=int(x), mouse_region_y=int(y))
    return CGC_OT_hover.invoke(SimpleNamespace(), context, event)


@pytest.fixture(autouse=True)
def forgotten():
    yield
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)


def test_another_file_has_nothing_under_the_mouse() -> None:
    row_of_things()
    move_to(*pixel(PLATES["A"][0]))
    assert hovered_text()
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    assert hovered_text() == ""


def test_what_is_under_the_mouse_is_named() -> None:
    row_of_things()
    for plate, number, count in (("A", 1, 2 * EACH), ("C", 2, EACH), ("B", 1, 2 * EACH)):
        assert move_to(*pixel(PLATES[plate][0])) == PASSED
        assert hovered_text() == f"Segment 00{number}: {count} Gaussians"
    assert move_to(3, 3) == PASSED
    assert hovered_text() == ""


def test_nothing_is_looked_up_while_something_is_drawn() -> None:
    row_of_things()
    move_to(*pixel(PLATES["A"][0]))
    before = hovered_text()
    hover.pause(True)
    assert move_to(*pixel(PLATES["C"][0])) == PASSED
    assert hovered_text() == before
