# SPDX-License-Identifier: GPL-3.0-or-later
"""What is shown of an object becomes a box around it, points on it and points beside it."""

from __future__ import annotations

import numpy as np

from cgc_addon.cgc.asked.evidence import INSIDE, OUTSIDE, UNKNOWN
from cgc_addon.cgc.asked.prompting import agreement, deep_points, prompt_for

NO_POINTS, NO_SIDES = np.zeros((0, 2), np.float32), np.zeros(0, bool)


def shown() -> np.ndarray:
    kinds = np.full((60, 80), UNKNOWN)
    kinds[20:40, 30:60] = INSIDE
    kinds[20:40, 60:75] = OUTSIDE
    return kinds


def test_the_box_is_a_little_larger_and_points_are_where_they_should_be():
    kinds = shown()
    prompt = prompt_for(kinds, NO_POINTS, NO_SIDES)
    assert prompt is not None
    assert np.allclose(prompt.box, [28.5, 19, 61.5, 41])
    columns, rows = np.floor(prompt.points).astype(int).T
    assert (kinds[rows, columns][prompt.positive] == INSIDE).all()
    assert (kinds[rows, columns][~prompt.positive] == OUTSIDE).all()
    assert prompt.positive.sum() == 3
    assert (~prompt.positive).any()


def test_points_of_a_person_come_along_and_crumbs_do_not_widen_the_box():
    kinds = shown()
    kinds[2:4, 2:4] = INSIDE
    prompt = prompt_for(kinds, np.float32([[5, 6]]), np.array([False]))
    assert prompt is not None
    assert prompt.points[0].tolist() == [5, 6]
    assert not prompt.positive[0]
    assert np.allclose(prompt.box, [28.5, 19, 61.5, 41])


def test_what_is_hardly_shown_is_not_asked_for():
    kinds = np.full((200, 200), OUTSIDE)
    kinds[5, 5:9] = INSIDE
    assert prompt_for(kinds, NO_POINTS, NO_SIDES) is None
    assert prompt_for(np.full((20, 20), UNKNOWN), NO_POINTS, NO_SIDES) is None


def test_deep_points_are_centres_of_pixels_far_from_the_border_and_each_other():
    region = np.zeros((40, 40), bool)
    region[5:16, 5:16] = region[25:32, 25:32] = True
    points = deep_points(region, 2)
    assert points.tolist() == [[10.5, 10.5], [28.5, 28.5]]
    assert len(deep_points(np.zeros((5, 5), bool), 3)) == 0


def test_only_what_is_known_agrees_or_not():
    kinds = np.array([INSIDE, INSIDE, OUTSIDE, UNKNOWN])
    assert agreement(np.array([True, True, False, True]), kinds) == 1.0
    assert agreement(np.array([True, False, True, True]), kinds) == 1 / 3
    assert agreement(np.zeros(4, bool), np.full(4, UNKNOWN)) == 0.0
