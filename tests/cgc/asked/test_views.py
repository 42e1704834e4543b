# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects are asked for all round, in views that show them, the nearest first."""

from __future__ import annotations

import numpy as np

from cgc_addon.cgc.asked.views import views_around
from cgc_addon.dataset.scene import PinholeCamera, View


def ring(count: int) -> list[View]:
    """Return cameras on a circle that look at the origin."""
    camera = PinholeCamera(40, 30, 40.0, 40.0, 20.0, 15.0)
    views = []
    for number in range(count):
        angle = 2 * np.pi * number / count
        forward = -np.array([np.cos(angle), np.sin(angle), 0.0])
        right = np.cross(forward, [0, 0, 1.0])
        pose = np.eye(4)
        pose[:3, :3] = np.stack([right, np.cross(forward, right), forward])
        pose[:3, 3] = [0, 0, 3]
        views.append(View(f"{number}.png", camera, pose))
    return views


def test_they_are_spread_all_round_from_the_nearest_to_the_opposite_one():
    views = ring(24)
    chosen = views_around(views, [views[0]], np.zeros(3), 6)
    away = [min(index, 24 - index) for index in chosen]
    assert len(chosen) == 6
    assert away == sorted(away)
    assert (away[0], away[-1]) == (1, 12)


def test_fewer_are_taken_all_and_those_that_show_nothing_are_left_out():
    views = ring(6)
    assert sorted(views_around(views, [views[0], views[3]], np.zeros(3), 8)) == [1, 2, 4, 5]
    outside = np.array([0.0, 0.0, 50.0])
    assert views_around(views, [views[0]], outside, 8) == []
