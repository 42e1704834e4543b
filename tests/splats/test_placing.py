# SPDX-License-Identifier: GPL-3.0-or-later
"""What nobody moved keeps its numbers, and parts stand as they stood in the whole."""

from __future__ import annotations

import numpy as np

from cgc_addon.splats.initialise import gaussians_from_points
from cgc_addon.splats.placing import carried, source_order
from cgc_addon.splats.transform import transform


def test_rounding_of_a_matrix_moves_nothing_and_more_does() -> None:
    points = np.random.default_rng(0).normal(size=(5, 3))
    gaussians = gaussians_from_points(points, np.zeros((5, 3), np.uint8))
    near = np.eye(4)
    near[0, 3] = 5e-8
    assert carried(gaussians, near) is gaussians
    near[0, 3] = 0.5
    expected = transform(gaussians, near).means
    np.testing.assert_array_equal(carried(gaussians, near).means, expected)


def test_shuffled_parts_come_back_into_order() -> None:
    index = np.random.default_rng(0).permutation(50)
    order = source_order(index)
    assert order is not None
    assert index[order].tolist() == list(range(50))


def test_order_is_left_alone_where_there_is_none_to_restore() -> None:
    assert source_order(np.arange(5)) is None
    assert source_order(np.array([3, 1, 3])) is None
    assert source_order(np.array([], np.int32)) is None
