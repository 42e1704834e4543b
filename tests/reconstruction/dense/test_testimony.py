# SPDX-License-Identifier: GPL-3.0-or-later
"""What a photo says of points is what its planes say, worked out for all points at once."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from cgc_addon.dataset.projection import project
from cgc_addon.dataset.scene import View
from cgc_addon.reconstruction.dense.surfaces import Surfaces
from cgc_addon.reconstruction.dense.testimony import (
    DEPTH_TOLERANCE,
    LARGEST_COST,
    SEEN_BEHIND,
    seen_in,
)

from . import plane_scene as scene


def told_by_hand(
    points: np.ndarray, view: View, surfaces: Surfaces
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Nearness (P,), 1 at the depth of what is shown; whether that is known; row; column."""
    pixels, depths, seen = project(points, view)
    cells = np.where(seen[:, None], pixels // surfaces.stride, 0.0).astype(np.int64)
    shape = surfaces.costs.shape
    columns, rows = np.minimum(cells, (shape[1] - 1, shape[0] - 1)).T
    x, y = surfaces.middles(rows, columns)
    w, right, down = surfaces.planes[rows, columns].T.astype(np.float64)
    inverse = w + right * (pixels[:, 0] - x) + down * (pixels[:, 1] - y)
    return inverse * depths, seen & (surfaces.costs[rows, columns] < LARGEST_COST), rows, columns


@settings(deadline=None, max_examples=20)
@given(stride=st.integers(1, 7), count=st.integers(0, 500), seed=st.integers(0, 1000))
def test_points_are_seen_where_the_planes_are(stride, count, seed):
    random = np.random.default_rng(seed)
    view = scene.views()[1]
    rows, columns = view.camera.height // stride, view.camera.width // stride
    surfaces = Surfaces(
        random.uniform(0.1, 0.6, (rows, columns, 3)).astype(np.float32),
        random.uniform(0.0, 0.8, (rows, columns)).astype(np.float32),
        stride,
    )
    surfaces.planes[..., 1:] *= 0.01
    points = random.normal(0.0, 3.0, (count, 3))
    told = seen_in(points, view, surfaces)
    nearness, known, expected_rows, expected_columns = told_by_hand(points, view, surfaces)
    np.testing.assert_array_equal(told.agreeing, known & (np.abs(nearness - 1) < DEPTH_TOLERANCE))
    np.testing.assert_array_equal(told.contradicting, known & (nearness < 1 - SEEN_BEHIND))
    np.testing.assert_array_equal(told.rows, expected_rows)
    np.testing.assert_array_equal(told.columns, expected_columns)
    pixels, _, seen = project(points, view)
    np.testing.assert_allclose(told.pixels, np.where(seen[:, None], pixels, 0.0), atol=1e-9)
