# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of placements holds what a shader needs to know of each appearance."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("bpy")

from cgc_addon.blender.drawing.placements import ACTIVE, SELECTED, placement_table
from cgc_addon.blender.drawing.shown import Appearance
from cgc_addon.splats.spherical_harmonics import basis
from cgc_addon.splats.transform import transform

from .slow_pictures import looking_at_origin, random_appearance


def test_harmonics_are_seen_from_the_same_side_after_any_transform() -> None:
    cloud, viewpoint = random_appearance(5), looking_at_origin()
    matrix = np.array([[0.0, -2.0, 0.3, 1], [1.5, 0, 0, 2], [0, 0.2, -1, 0], [0, 0, 0, 1]])
    table = placement_table([Appearance(cloud.splat, matrix)], viewpoint)[0]
    towards = np.array([0.48, 0.6, -0.64])
    in_world = viewpoint.world_to_view[:3, :3].T @ towards
    moved = transform(cloud.splat.gaussians, matrix)
    expected = basis(in_world[None], 3)[0] @ moved.sh[0]
    seen = basis((table[3:6, :3] @ towards)[None], 3)[0] @ cloud.splat.gaussians.sh[0]
    np.testing.assert_allclose(seen, expected, atol=1e-5)


def test_matrix_color_and_mark_are_kept() -> None:
    splat, viewpoint = random_appearance(2).splat, looking_at_origin()
    matrix = np.eye(4)
    matrix[:3, 3] = 1.0, 2.0, 3.0
    plain = Appearance(splat, matrix, (0.1, 0.2, 0.3))
    selected = Appearance(splat, matrix, selected=True)
    active = Appearance(splat, matrix, selected=True, active=True)
    table = placement_table([plain, selected, active], viewpoint)
    np.testing.assert_allclose(table[0, :3], (viewpoint.world_to_view @ matrix)[:3])
    assert table[:, 6].tolist() == [
        [0.1, 0.2, 0.3, 0.0],
        [0.5, 0.5, 0.5, SELECTED],
        [0.5, 0.5, 0.5, ACTIVE],
    ]
