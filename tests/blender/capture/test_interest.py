# SPDX-License-Identifier: GPL-3.0-or-later
"""What is of interest: what most photos show, wherever the rest is."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("bpy")

import bpy

from cgc_addon.blender.capture.import_colmap import import_colmap
from cgc_addon.blender.capture.interest import Interest, interest_of
from cgc_addon.blender.capture.parts import new_capture


def graph() -> bpy.types.Depsgraph:
    return bpy.context.evaluated_depsgraph_get()


def test_what_half_of_the_photos_show_counts_and_a_wall_does_not(write_capture) -> None:
    dataset = write_capture(count=12, points=200)
    random = np.random.default_rng(1)
    wall = np.c_[np.full(400, 30.0), random.uniform(-20, 20, (400, 2))]
    file = dataset / "sparse" / "0" / "points3D.txt"
    lines = [f"{900 + n} {x} {y} {z} 9 9 9 0.5\n" for n, (x, y, z) in enumerate(wall)]
    file.write_text(file.read_text() + "".join(lines))
    found = interest_of(import_colmap(bpy.context, dataset), graph())
    assert found is not None
    assert np.linalg.norm(found.middle) < 0.5
    assert 1.0 < found.radius < 4.0
    assert found.reach > 25.0


def test_the_side_is_that_of_a_camera(write_capture) -> None:
    capture = import_colmap(bpy.context, write_capture(count=5))
    found = interest_of(capture, graph())
    assert found is not None
    assert found.side is not None
    places = [item.matrix_world.translation for item in bpy.data.objects if item.type == "CAMERA"]
    eye = found.middle + found.side
    assert min(np.linalg.norm(eye - np.array(place)) for place in places) < 1e-5


def test_cameras_alone_are_of_interest_and_nothing_is_not(write_capture) -> None:
    empty = new_capture(bpy.context.scene, "empty", None)
    assert interest_of(empty, graph()) is None
    capture = import_colmap(bpy.context, write_capture(), points=False)
    found = interest_of(capture, graph())
    assert found is not None
    assert 1.0 < found.radius < 10.0


def test_the_distance_is_where_a_square_fills_the_view() -> None:
    points = np.array([(x, y, 0.0) for x in (-1, 1) for y in (-1, 1)], np.float64)
    square = Interest(points, np.zeros(3), 0.1, 2.0, np.array((0.0, 0.0, 1.0)))
    assert square.distance(np.eye(3), (0.5, 0.25)) == pytest.approx(4.0)
    assert square.distance(np.eye(3), (0.5, 1.0)) == pytest.approx(2.0)
    assert np.allclose(square.turned().T @ square.turned(), np.eye(3))
