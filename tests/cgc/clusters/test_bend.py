# SPDX-License-Identifier: GPL-3.0-or-later
"""The bend of surfaces that are known: a ball bends outwards, a ball on a floor inwards at it."""

from __future__ import annotations

import numpy as np

from cgc_addon.cgc.clusters.bend import bends
from cgc_addon.cgc.surface import Surface


def ball_on_floor(count=4000, seed=0):
    generator = np.random.default_rng(seed)
    normals = generator.normal(size=(count, 3))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    ball = normals + np.array([0, 0, 1])
    floor = np.append(generator.uniform(-3, 3, (count, 2)), np.zeros((count, 1)), axis=1)
    upwards = np.tile([0.0, 0, 1], (count, 1))
    points = np.concatenate([ball, floor])
    faces = np.concatenate([normals, upwards])
    pieces = np.where(ball[:, 2] > 1, 1, 2)  # upper and lower half of the ball
    pieces = np.append(pieces, np.where(floor[:, 0] > 0, 3, 4))
    weights = np.ones(2 * count, np.float32)
    surface = Surface(points.astype(np.float32), faces.astype(np.float32), weights)
    return surface, pieces.astype(np.int32)


def test_signs_are_those_of_the_shapes() -> None:
    surface, pieces = ball_on_floor()
    found = bends([surface], [pieces], 5)
    assert np.allclose(found, found.T)
    assert found[0, 1] > 0.9  # halves of a ball
    assert abs(found[2, 3]) < 0.01  # halves of a floor
    right = surface.points[:, 0] > 0
    side = np.where((pieces == 2) & right, 5, pieces).astype(np.int32)
    found = bends([surface], [side], 5)
    assert found[4, 2] < -0.2  # the lower right of the ball, and the floor below it


def test_what_has_no_surface_has_no_bend() -> None:
    surface, pieces = ball_on_floor(count=50)
    found = bends([surface, None], [pieces, np.full(7, 5, np.int32)], 5)
    assert not found[4].any()


def test_views_add_up() -> None:
    surface, pieces = ball_on_floor(count=300)
    parts = [slice(0, 350), slice(350, 600)]
    split = [
        Surface(surface.points[part], surface.normals[part], surface.weights[part])
        for part in parts
    ]
    together = bends([surface], [pieces], 4)
    assert np.allclose(bends(split, [pieces[part] for part in parts], 4), together, atol=1e-5)
