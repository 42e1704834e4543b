# SPDX-License-Identifier: GPL-3.0-or-later
"""A capture that cannot be meant is told from one that is only unusual."""

from pathlib import Path

import numpy as np
import pytest

from cgc_addon.dataset.plausibility import describe_doubts, seen_depths
from cgc_addon.dataset.scene import PinholeCamera, View

CAMERA = PinholeCamera(64, 48, 50.0, 50.0, 32.0, 24.0)
POINTS = np.random.default_rng(0).uniform([-1, -1, 4], [1, 1, 6], (500, 3)).astype(np.float32)


def views(step: float) -> list[View]:
    """Cameras side by side, that all look along z."""
    made = []
    for number in range(4):
        pose = np.eye(4)
        pose[0, 3] = -step * number
        made.append(View(f"{number}.jpg", CAMERA, pose))
    return made


def doubts(step: float, points: np.ndarray) -> tuple[str, ...]:
    return describe_doubts(Path("capture"), views(step), points)


def test_a_usual_capture_raises_no_doubts() -> None:
    assert doubts(0.3, POINTS) == ()


@pytest.mark.parametrize("moved", [(0, 0, -20), (500, 0, 0)])
def test_points_that_no_camera_sees_are_of_another_frame(moved) -> None:
    (sentence,) = doubts(0.3, POINTS + np.float32(moved))
    assert sentence.startswith("capture: no camera sees any of the points")


def test_one_point_that_is_seen_is_enough() -> None:
    far = POINTS + np.float32([500, 0, 0])
    assert doubts(0.3, np.concatenate([POINTS[:1], far])) == ()


def test_few_points_say_nothing() -> None:
    assert doubts(0.3, POINTS[:9] - np.float32(100)) == ()


def test_a_camera_that_was_only_turned_knows_no_depth() -> None:
    (sentence,) = doubts(1e-4, POINTS)
    assert "all photos were taken from one place" in sentence
    assert describe_doubts(Path("capture"), views(0.0)[:1], POINTS) == ()


def test_depths_are_those_of_points_in_the_picture() -> None:
    depths = seen_depths(views(0.0)[:2], POINTS)
    assert 2 * len(POINTS) >= len(depths) > 900
    np.testing.assert_allclose(np.sort(depths)[[0, -1]], [4, 6], atol=0.05)
    assert len(seen_depths(views(0.0), np.zeros((0, 3), np.float32))) == 0
