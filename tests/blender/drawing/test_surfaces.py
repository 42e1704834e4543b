# SPDX-License-Identifier: GPL-3.0-or-later
"""What a region shows is known until something in it moves."""

from __future__ import annotations

import time
from types import SimpleNamespace

import numpy as np
import pytest

bpy = pytest.importorskip("bpy")

from mathutils import Matrix

from cgc_addon.blender.drawing.shown import viewpoint_of
from cgc_addon.blender.drawing.surfaces import Surfaces
from cgc_addon.blender.drawing.watch import shown_scene

from .splat_scene import add_splat

SIZE = 60


def context(turn: float = 0.0) -> SimpleNamespace:
    """Return a context of a viewport that looks from z = 6 along −z."""
    bpy.context.view_layer.update()
    lens = np.diag([2.0, 2.0, -1.0, 0.0])
    lens[2, 3], lens[3, 2] = -0.2, -1.0
    view = Matrix.Rotation(turn, 4, "Y") @ Matrix.Translation((0, 0, -6))
    return SimpleNamespace(
        region=SimpleNamespace(width=SIZE, height=SIZE),
        region_data=SimpleNamespace(view_matrix=view, window_matrix=Matrix(lens.tolist())),
        scene=bpy.context.scene,
        space_data=None,
        view_layer=bpy.context.view_layer,
    )


def looked_at(surfaces: Surfaces, where: SimpleNamespace) -> None:
    surfaces.ask(where)
    deadline = time.monotonic() + 10.0
    while surfaces.busy and time.monotonic() < deadline:
        time.sleep(0.01)


def test_it_is_known_until_the_view_or_a_splat_moves() -> None:
    item = add_splat()
    surfaces = Surfaces()
    assert surfaces.newest(context()) is None
    looked_at(surfaces, context())
    seen = surfaces.newest(context())
    assert seen is not None
    assert (seen.appearances == 0).any()
    item.select_set(not item.select_get())  # which hides nothing
    assert surfaces.newest(context()) is seen
    assert surfaces.newest(context(0.1)) is None
    item.location.x = 1.0
    assert surfaces.newest(context()) is None
    looked_at(surfaces, context())
    assert surfaces.newest(context()) is not seen
    surfaces.close()


def test_what_somebody_else_found_out_is_kept_for_just_that() -> None:
    add_splat()
    surfaces, where = Surfaces(), context()
    looked_at(surfaces, where)
    seen = surfaces.newest(where)
    assert seen is not None
    other = add_splat(name="other")
    now = context()
    shown = shown_scene().appearances(now.view_layer.depsgraph, None)
    wanted = (shown, viewpoint_of(now.region_data, SIZE, SIZE), 1.0)
    assert surfaces.known(*wanted) is None
    surfaces.keep(*wanted, seen)
    assert surfaces.known(*wanted) is seen
    assert surfaces.newest(now) is None  # which splat is where, nobody has looked up yet
    assert surfaces.known(*wanted[:2], 0.5) is None
    bpy.data.objects.remove(other)
    surfaces.close()
    assert surfaces.known(*wanted) is None
