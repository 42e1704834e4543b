# SPDX-License-Identifier: GPL-3.0-or-later
"""What a plane costs is 1 − the correlation of the patches that it brings together."""

from __future__ import annotations

import numpy as np
import pytest

from cgc_addon.reconstruction.dense.neighbours import intrinsics, pair_matrix
from cgc_addon.reconstruction.dense.patchmatch import (
    LANES,
    NO_MATCH,
    TAPS,
    improve_planes,
    prepare_patches,
    start_planes,
)

from . import plane_scene as scene

STRIDE = 4
RNG = np.random.default_rng(3)


def slow_cost(grey, others, views, row, column, w) -> float:
    """Correlate in double precision, tap by tap, at inverse depth w; the mean of the best two."""
    middle_y, middle_x = row * STRIDE + STRIDE // 2, column * STRIDE + STRIDE // 2
    camera, costs = views[0].camera, []
    for other, view in zip(others, views[1:], strict=True):
        here, there, weights = [], [], []
        for dy in range(-4, 5, 2):
            for dx in range(-4, 5, 2):
                value = float(grey[middle_y + dy, middle_x + dx])
                x, y = middle_x + dx + 0.5, middle_y + dy + 0.5
                ray = np.array([(x - camera.cx) / camera.fx, (y - camera.cy) / camera.fy, 1.0])
                pose = views[0].world_to_camera
                point = pose[:3, :3].T @ (ray / w - pose[:3, 3])
                placed = view.world_to_camera[:3, :3] @ point + view.world_to_camera[:3, 3]
                u, v, depth = view.camera.matrix() @ placed
                u, v = u / depth - 0.5, v / depth - 0.5
                if not (0 <= u < other.shape[1] - 2 and 0 <= v < other.shape[0] - 2):
                    break
                left, top = int(u), int(v)
                a, b = u - left, v - top
                square = other[top : top + 2, left : left + 2].astype(float)
                here.append(value)
                there.append(np.array([1 - b, b]) @ square @ np.array([1 - a, a]))
                unlike = (value - float(grey[middle_y, middle_x])) / 0.2
                weights.append(np.exp(-0.5 * unlike**2 - (dx**2 + dy**2) / 50.0))
        if len(here) < TAPS:
            costs.append(2.0)
            continue
        share = np.array(weights) / np.sum(weights)
        first, second = np.array(here) - share @ here, np.array(there) - share @ there
        norm = np.sqrt((share @ first**2) * (share @ second**2))
        costs.append(1.0 - (share @ (first * second)) / norm)
    return float(np.mean(sorted(costs)[:2]))


@pytest.fixture(scope="module")
def prepared():
    views = scene.views()
    greys = [scene.photo(view)[..., 0].astype(np.float32) / 255 for view in views]
    rows, columns = 72 // STRIDE, 96 // STRIDE
    weights = np.zeros((rows, columns, LANES), np.float32)
    patches = np.zeros((rows, columns, LANES), np.float32)
    prepare_patches(greys[0], STRIDE, weights, patches)
    sizes = np.array([[72, 96]] * 3, np.int32)
    pairs = np.stack([pair_matrix(views[0], view) for view in views[1:]])
    return views, greys, (np.stack(greys[1:]), sizes, pairs), weights, patches


def test_costs_are_those_of_a_slow_reference(prepared) -> None:
    views, greys, compared, weights, patches = prepared
    w = np.float32(1 / 3.7)
    planes = np.full((*weights.shape[:2], 3), w, np.float32)
    costs = np.zeros(weights.shape[:2], np.float32)
    start_planes(*compared, weights, patches, STRIDE, w, w, 0, planes, costs)
    checked = 0
    for row in range(2, costs.shape[0] - 2, 3):
        for column in range(2, costs.shape[1] - 2, 3):
            expected = slow_cost(greys[0], greys[1:], views, row, column, float(w))
            assert costs[row, column] == pytest.approx(expected, abs=2e-3)
            checked += expected < NO_MATCH
    assert checked > 10


def test_improving_finds_the_plane_and_never_makes_a_cell_worse(prepared) -> None:
    views, _, compared, weights, patches = prepared
    planes = np.full((*weights.shape[:2], 3), 0.2, np.float32)
    costs = np.zeros(weights.shape[:2], np.float32)
    numbers = (np.float32(0.4), np.float32(0.15), 7)
    start_planes(*compared, weights, patches, STRIDE, *numbers, planes, costs)
    for turn in range(8):
        before = costs.copy()
        camera = intrinsics(views[0].camera)
        improve_planes(*compared, camera, weights, patches, STRIDE, *numbers, turn, planes, costs)
        assert (costs <= before).all()
        untouched = (np.indices(costs.shape).sum(axis=0) + turn) % 2 == 1
        np.testing.assert_array_equal(costs[untouched], before[untouched])
    rows, columns = np.nonzero(costs < 0.2)
    assert len(rows) > 100
    x, y = columns * STRIDE + STRIDE // 2 + 0.5, rows * STRIDE + STRIDE // 2 + 0.5
    pose = views[0].world_to_camera
    depths = (scene.on_plane(views[0], x, y) @ pose[:3, :3].T + pose[:3, 3])[:, 2]
    assert np.median(np.abs(planes[rows, columns, 0] * depths - 1)) < 0.004
