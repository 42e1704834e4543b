# SPDX-License-Identifier: GPL-3.0-or-later
"""The farthest first, and nothing that could be seen left out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("bpy")

from cgc_addon.blender.drawing.ordering import back_to_front, depth_range
from cgc_addon.blender.drawing.shown import Appearance, StoredSplat

from .slow_pictures import looking_at_origin, random_appearance, random_gaussians


def depths_of(appearances, viewpoint, order) -> np.ndarray:
    world = [
        item.splat.gaussians.means @ item.matrix[:3, :3].T + item.matrix[:3, 3]
        for item in appearances
    ]
    return np.array(
        [
            -(viewpoint.world_to_view @ [*world[owner][index], 1.0])[2]
            for owner, index in zip(order.appearances, order.gaussians, strict=True)
        ]
    )


def two_clouds() -> list[Appearance]:
    moved = np.diag([1.3, 0.8, 1.0, 1.0])
    moved[:3, 3] = 0.3, -0.2, 0.5
    return [random_appearance(200), replace(random_appearance(100, seed=3), matrix=moved)]


@pytest.mark.parametrize("orthographic", [False, True])
def test_depths_fall(orthographic: bool) -> None:
    clouds, viewpoint = two_clouds(), looking_at_origin(8.0, orthographic=orthographic)
    order = back_to_front(clouds, viewpoint)
    assert len(order) == 300
    assert set(zip(order.appearances, order.gaussians, strict=True)) == {
        *((0, index) for index in range(200)),
        *((1, index) for index in range(100)),
    }
    assert (np.diff(depths_of(clouds, viewpoint, order)) <= 1e-5).all()


def test_what_lies_behind_or_far_beside_is_left_out() -> None:
    means = np.array([[0, 0, 0], [0, 0, 9], [9, 0, 0], [2.3, 0, 0], [0, -9, 0]], dtype=np.float32)
    sizes = np.log(np.full((5, 3), 0.1, dtype=np.float32))
    gaussians = replace(random_gaussians(5), means=means, log_scales=sizes)
    viewpoint = replace(
        looking_at_origin(),
        world_to_view=np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, -4.0], [0, 0, 0, 1]]),
    )
    order = back_to_front([Appearance(StoredSplat(gaussians), np.eye(4))], viewpoint)
    assert sorted(order.gaussians) == [0, 3]  # 3 lies beside the picture, and may reach into it
    large = replace(gaussians, log_scales=sizes + np.log(30.0, dtype=np.float32))
    order = back_to_front([Appearance(StoredSplat(large), np.eye(4))], viewpoint)
    assert sorted(order.gaussians) == [0, 2, 3, 4]


def test_a_budget_goes_to_what_covers_most() -> None:
    sizes = np.linspace(-5.0, -1.0, 100, dtype=np.float32)
    gaussians = replace(
        random_gaussians(100),
        means=np.zeros((100, 3), dtype=np.float32),
        log_scales=np.tile(sizes[:, None], (1, 3)),
        logit_opacities=np.ones(100, dtype=np.float32),
    )
    cloud, viewpoint = Appearance(StoredSplat(gaussians), np.eye(4)), looking_at_origin()
    assert sorted(back_to_front([cloud], viewpoint, 10).gaussians) == list(range(90, 100))
    # Seen from twice as far, a Gaussian covers a quarter.
    behind = np.eye(4)
    behind[:3, 3] = viewpoint.world_to_view[:3, :3].T @ [0.0, 0.0, -4.0]
    both = [cloud, replace(cloud, matrix=behind)]
    near = back_to_front(both, viewpoint, 10).appearances
    assert np.count_nonzero(near == 0) > np.count_nonzero(near == 1)
    assert len(back_to_front(both, viewpoint, 1000)) == 200


def test_no_appearances_give_an_empty_order() -> None:
    assert len(back_to_front([], looking_at_origin())) == 0
    assert depth_range([], looking_at_origin()) == (1.0, 2.0)


def test_depth_range_leaves_out_what_is_alone() -> None:
    means = np.zeros((1000, 3), dtype=np.float32)
    means[:, 2] = np.linspace(-1.0, 1.0, 1000)
    means[0, 2] = -50.0
    viewpoint = replace(looking_at_origin(), world_to_view=np.diag([1.0, 1.0, 1.0, 1.0]))
    viewpoint.world_to_view[2, 3] = -4.0
    cloud = Appearance(StoredSplat(replace(random_gaussians(1000), means=means)), np.eye(4))
    near, far = depth_range([cloud], viewpoint)
    assert 3.0 < near < 3.1
    assert 4.9 < far < 5.1
