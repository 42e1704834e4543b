# SPDX-License-Identifier: GPL-3.0-or-later
"""Which photos are compared, and where a pixel of one is in the other."""

from __future__ import annotations

import numpy as np

from cgc_addon.dataset.projection import project
from cgc_addon.dataset.scene import PinholeCamera, View
from cgc_addon.reconstruction.dense.neighbours import (
    choose_neighbours,
    pair_matrix,
    pair_scores,
)

from . import plane_scene as scene


def test_a_pixel_at_its_inverse_depth_is_sent_to_where_its_point_is() -> None:
    reference, other = scene.views()[0], scene.views(((50, 60),) * 3)[2]
    points = scene.sparse_points(10)
    pixels, depths, seen = project(points, reference)
    expected, expected_depths, _ = project(points, other)
    assert seen.any()
    pair = pair_matrix(reference, other).astype(np.float64)
    ones = np.column_stack([pixels, np.ones(len(pixels))])
    sent = ones @ pair[:9].reshape(3, 3).T + pair[9:] / depths[:, None]
    np.testing.assert_allclose(sent[:, :2] / sent[:, 2:], expected, rtol=1e-4)
    np.testing.assert_allclose(sent[:, 2], expected_depths / depths, rtol=1e-4)


def facing(center: list[float]) -> View:
    camera = PinholeCamera(96, 72, 90.0, 90.0, 48.0, 36.0)
    return View("x", camera, scene.look_at(np.array(center), np.array([0.0, 0.0, 4.0])))


def test_photos_side_by_side_are_taken_and_others_are_not() -> None:
    beside, too_near, too_far = facing([0.8, 0, 0]), facing([0.01, 0, 0]), facing([6.0, 0, 3.0])
    away = View("x", beside.camera, scene.look_at(np.zeros(3), np.array([0.0, 0.0, -4.0])))
    scores = pair_scores(
        [facing([0, 0, 0]), beside, too_near, too_far, away], scene.sparse_points()
    )
    np.testing.assert_array_equal(scores, scores.T)
    assert scores[0].argmax() == 1
    assert scores[0, 2] < 0.1 * scores[0, 1]
    assert scores[0, 3] < 0.1 * scores[0, 1]
    assert scores[0, 4] == 0
    assert choose_neighbours(scores)[0].tolist() == [1]
    assert choose_neighbours(scores)[4].tolist() == []
