# SPDX-License-Identifier: GPL-3.0-or-later
"""A click finds the segment under it and the Gaussians whose features look like it."""

from __future__ import annotations

import numpy as np
import pytest

from cgc_addon.cgc.prompts import prompt_feature, segment_at, select_by_feature
from cgc_addon.errors import CgcError


def test_click_names_the_segment_under_it():
    labels = np.zeros((20, 30), np.int32)
    labels[5:10, 12:20] = 7
    assert segment_at(labels, 12.0, 5.0) == 7
    assert segment_at(labels, 19.99, 9.99) == 7
    assert segment_at(labels, 25.0, 15.0) == 0


def test_click_beside_a_segment_takes_the_commonest_nearby():
    labels = np.zeros((20, 30), np.int32)
    labels[5:10, 12:20], labels[3, 20] = 7, 4
    assert segment_at(labels, 20.5, 5.5) == 7
    assert segment_at(labels, 20.5, 5.5, radius=0) == 0


@pytest.mark.parametrize("place", [(-0.5, 3), (30, 3), (3, 20.0), (3, -1)])
def test_click_outside_is_refused(place):
    with pytest.raises(CgcError, match="30×20"):
        segment_at(np.zeros((20, 30), np.int32), *place)


def test_prompt_is_the_mean_direction_of_five_by_five_pixels():
    generator = np.random.default_rng(0)
    features = generator.standard_normal((20, 30, 16)) * generator.uniform(0.1, 9, (20, 30, 1))
    features[7, 11] = 0
    directions = []
    for row in range(6, 11):
        for column in range(9, 14):
            length = np.linalg.norm(features[row, column])
            directions.append(features[row, column] / length if length else np.zeros(16))
    mean = np.mean(directions, 0)
    found = prompt_feature(features, 11.3, 8.9)
    np.testing.assert_allclose(found, mean / np.linalg.norm(mean), atol=1e-5)


def test_prompt_at_the_corner_and_on_nothing():
    features = np.zeros((20, 30, 16))
    assert not prompt_feature(features, 0, 0).any()
    features[:, :, 3] = 2
    assert prompt_feature(features, 29.5, 19.5)[3] == pytest.approx(1)


def test_selection_is_by_angle_to_the_nearest_prompt():
    features = np.array([[3.0, 0], [1, 1], [0, 9], [0, 0], [-1, 0]])
    right, up = np.array([10.0, 0]), np.array([0, 0.1])
    assert select_by_feature(features, right).tolist() == [True, True, False, False, False]
    assert select_by_feature(features, right, 0.8).tolist() == [True, False, False, False, False]
    both = select_by_feature(features, np.stack([right, up]), 0.8)
    assert both.tolist() == [True, False, True, False, False]
    assert not select_by_feature(features, np.zeros(2), -1.0).any()
    assert not select_by_feature(features, right, -1.0)[3]
