# SPDX-License-Identifier: GPL-3.0-or-later
"""Extent and up direction of a scene."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from cgc_addon.dataset.framing import (
    describe_outlying,
    outlying_views,
    scene_center,
    scene_extent,
    scene_up,
    usual_views,
)
from cgc_addon.dataset.scene import PinholeCamera, View

CAMERA = PinholeCamera(8, 6, 5.0, 5.0, 4.0, 3.0)


def view(center, rotation=None) -> View:
    """A view from `center`; the rotation (3, 3) is world to camera."""
    rotation = np.eye(3) if rotation is None else rotation
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = rotation, -rotation @ np.asarray(center, dtype=float)
    return View("a", CAMERA, pose)


def level_rotation(yaw: float, pitch: float, roll: float = 0.0) -> np.ndarray:
    """World to camera for a camera that stands on the xy plane, up is z."""
    upright = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])  # looks along y
    turn = Rotation.from_euler("yxz", [yaw, pitch, roll]).as_matrix()
    return turn @ upright


def test_extent_is_a_tenth_more_than_the_farthest_camera():
    centers = np.random.default_rng(0).normal(size=(9, 3)) + 5.0
    expected = 1.1 * np.linalg.norm(centers - centers.mean(axis=0), axis=1).max()
    assert scene_extent([view(c) for c in centers], np.zeros((0, 3))) == pytest.approx(expected)


@pytest.mark.parametrize("count", [1, 3])
def test_cameras_in_one_place_take_the_points_distance(count):
    points = np.float32([[2, 0, 1], [0, 4, 1], [0, 0, 7]])
    views = [view([0, 0, 1], level_rotation(0.3 * i, 0.1)) for i in range(count)]
    assert scene_extent(views, points) == pytest.approx(1.1 * 4.0)


@pytest.mark.parametrize("points", [np.zeros((0, 3)), np.float32([[3, 3, 3]])])
def test_extent_is_never_zero(points):
    assert scene_extent([view([3, 3, 3])], points.astype(np.float32)) == 1.0


def test_up_of_level_cameras_is_exact_whatever_their_pitch():
    rng = np.random.default_rng(0)
    views = [
        view([0, 0, 0], level_rotation(yaw, pitch))
        for yaw, pitch in zip(rng.uniform(-1.5, 1.5, 20), rng.uniform(-1, 0.2, 20), strict=True)
    ]
    np.testing.assert_allclose(scene_up(views), [0, 0, 1], atol=1e-9)


def test_up_turns_with_the_world():
    world = Rotation.random(random_state=3).as_matrix()
    views = [view([0, 0, 0], level_rotation(yaw, -0.4) @ world.T) for yaw in np.arange(0, 6, 0.5)]
    np.testing.assert_allclose(scene_up(views), world @ [0, 0, 1], atol=1e-9)


def test_up_with_unsteady_hands_is_within_three_degrees():
    rng = np.random.default_rng(1)
    views = [
        view([0, 0, 0], level_rotation(yaw, -0.5, rng.normal(0, 0.1)))
        for yaw in np.linspace(-1, 1, 40)
    ]
    assert scene_up(views)[2] > np.cos(np.radians(3))


def test_up_of_views_side_by_side_is_what_they_have_above():
    views = [view([x, 0, 0], level_rotation(0, 0)) for x in range(5)]
    np.testing.assert_allclose(scene_up(views), [0, 0, 1], atol=1e-12)


def test_up_of_portrait_and_landscape_is_between():
    views = [view([0, 0, 0], level_rotation(0, 0, roll)) for roll in (0, np.pi / 2) * 3]
    up = scene_up(views)
    np.testing.assert_allclose(np.linalg.norm(up), 1.0)
    np.testing.assert_allclose(up[2], np.sqrt(0.5))


def test_up_of_opposite_views_is_a_unit_vector():
    views = [view([0, 0, 0], level_rotation(0, 0, roll)) for roll in (0, np.pi)]
    np.testing.assert_allclose(np.abs(scene_up(views)), [0, 0, 1], atol=1e-12)


NO_POINTS = np.zeros((0, 3), np.float32)


def ring(count: int) -> list[View]:
    angles = np.linspace(0, 2 * np.pi, count, endpoint=False)
    return [view([np.cos(angle), np.sin(angle), 0.2]) for angle in angles]


@pytest.mark.parametrize("points", [NO_POINTS, np.float32([[0.1, 0, 0], [0, 3e4, 0], [0, 0, 0.2]])])
@pytest.mark.parametrize("far", [[[500, 0, 0]], [[15, 0, 0], [0, -90, 0], [0, 0, 1e6]]])
def test_a_few_cameras_far_away_change_neither_size_nor_place(points, far):
    usual = ring(36)
    views = [*usual[:7], *(view(center) for center in far), *usual[7:]]
    assert outlying_views(views, points) == tuple(range(7, 7 + len(far)))
    assert usual_views(views, points) == tuple(usual)
    assert scene_extent(usual_views(views, points), points) == scene_extent(usual, points)
    np.testing.assert_array_equal(scene_center(views, points), scene_center(usual, points))


@pytest.mark.parametrize(
    "centers",
    [
        [v.center() for v in ring(20)],
        [[x, 0, 0] for x in range(200)],  # along a street
        [[1.3**n, 0, 0] for n in range(40)],  # ever farther away
        [*np.random.default_rng(0).normal(size=(30, 3)), *[[40, 0, 0]] * 4],  # many are no mistake
        [*np.random.default_rng(0).normal(size=(8, 3)), [500, 0, 0]],  # too few to tell
        [[3, 3, 3]] * 20,
        [[3, 3, 3]],
    ],
)
def test_cameras_that_belong_together_are_all_usual(centers):
    views = [view(center) for center in centers]
    for points in (NO_POINTS, np.float32([[0, 0, 3]])):
        assert outlying_views(views, points) == ()
        mean = np.mean([v.center() for v in views], axis=0)
        np.testing.assert_array_equal(scene_center(views, points), mean)


def test_a_step_aside_on_the_spot_of_a_tripod_is_usual():
    views = [view([0.001 * n, 0, 0]) for n in range(20)] + [view([0.5, 0, 0])]
    assert outlying_views(views, np.float32([[0, 4, 0], [0, 5, 0]])) == ()


def test_cameras_far_away_are_named(tmp_path):
    views = [*ring(10), view([500, 0, 0])]
    sentence = describe_outlying(tmp_path, views, (10,))
    assert sentence.startswith(f"{tmp_path}: 1 of 11 cameras are far away from all others")
    assert "poses are probably wrong: a;" in sentence
