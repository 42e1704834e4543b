# SPDX-License-Identifier: GPL-3.0-or-later
"""Points in shapes, against what one would do with each point alone."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from PIL import Image, ImageDraw

from cgc_addon.splats.outlines import in_box, in_polygon, near_path


def test_a_polygon_holds_what_pillow_fills() -> None:
    random = np.random.default_rng(0)
    angles = np.sort(random.uniform(0, 2 * np.pi, 12))
    corners = 50 + random.uniform(15, 45, (12, 1)) * np.stack([np.cos(angles), np.sin(angles)], 1)
    picture = Image.new("1", (800, 800))
    ImageDraw.Draw(picture).polygon([tuple(8 * corner) for corner in corners], fill=1)
    points = random.uniform(0, 100, (3000, 2))
    filled = np.array(picture)[tuple((8 * points[:, ::-1]).astype(int).T)]
    assert (in_polygon(points, corners) != filled).sum() < 15  # at its edges


def test_a_line_that_crosses_itself_leaves_its_middle_out() -> None:
    star = np.array([[np.cos(a), np.sin(a)] for a in 4 * np.pi * np.arange(5) / 5])
    inside = in_polygon(np.array([[0.0, 0.0], [0.9, 0.0], [0.9, 0.9]]), star)
    assert inside.tolist() == [False, True, False]


@pytest.mark.parametrize("corners", [np.zeros((0, 2)), np.array([[0.0, 0.0], [1.0, 1.0]])])
def test_a_shape_without_area_holds_nothing(corners: np.ndarray) -> None:
    assert not in_polygon(np.array([[0.5, 0.5]]), corners).any()


def test_a_brush_touches_what_is_near_any_of_its_dots() -> None:
    random = np.random.default_rng(1)
    path, points = random.uniform(0, 100, (7, 2)), random.uniform(0, 100, (500, 2))
    shares = np.linspace(0, 1, 400)[:, None]
    dots = np.concatenate([a + shares * (b - a) for a, b in pairwise(path)])
    distances = np.linalg.norm(points[:, None] - dots, axis=2).min(axis=1)
    sure = np.abs(distances - 8.0) > 0.1
    assert (near_path(points, path, 8.0) == (distances <= 8.0))[sure].all()


def test_a_dot_is_a_circle_and_no_path_is_nothing() -> None:
    points = np.array([[3.0, 4.0], [3.1, 4.0]])
    assert near_path(points, np.zeros((1, 2)), 5.0).tolist() == [True, False]
    assert not near_path(points, np.zeros((0, 2)), 5.0).any()


def test_a_box_may_be_drawn_from_any_corner() -> None:
    points = np.array([[1.0, 1.0], [3.0, 3.0], [2.0, 5.0]])
    for first, second in (((1, 1), (3, 3)), ((3, 1), (1, 3)), ((3, 3), (1, 1))):
        assert in_box(points, first, second).tolist() == [True, True, False]
