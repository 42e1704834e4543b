# SPDX-License-Identifier: GPL-3.0-or-later
"""Schedules: what is in use at which step."""

from __future__ import annotations

import numpy as np
import pytest

from cgc_addon.training.config import GeometrySettings, LearningRates
from cgc_addon.training.parameters import feature_start, means_rate, photo_level, visible_degree

COARSE_TO_FINE = GeometrySettings(steps=100, levels=((0.2, 2), (0.5, 1), (1.0, 0)))


@pytest.mark.parametrize(
    ("step", "level"), [(0, 2), (19, 2), (20, 1), (49, 1), (50, 0), (99, 0), (100, 0)]
)
def test_photos_are_halved_less_and_less(step, level):
    assert photo_level(COARSE_TO_FINE, step, 4_000) == level


@pytest.mark.parametrize(("side", "level"), [(191, 1), (192, 2), (95, 0), (96, 1), (20, 0)])
def test_photos_are_never_halved_to_less_than_48_pixels(side, level):
    assert photo_level(COARSE_TO_FINE, 0, side) == level


@pytest.mark.parametrize(
    ("step", "degree"), [(0, 0), (999, 0), (1_000, 1), (2_000, 2), (3_000, 3), (9_000, 3)]
)
def test_a_degree_of_harmonics_more_every_thousand_steps(step, degree):
    assert visible_degree(GeometrySettings(), step) == degree


def test_means_move_less_and_less_by_the_same_factor_each_step():
    rates = LearningRates(means_start=1e-3, means_end=1e-5)
    moved = np.array([means_rate(rates, step, 200, extent=3.0) for step in range(201)])
    assert moved[0] == pytest.approx(3e-3)
    assert moved[-1] == pytest.approx(3e-5)
    np.testing.assert_allclose(moved[1:] / moved[:-1], 0.01 ** (1 / 200), rtol=1e-9)


def test_features_start_around_zero_and_alike_for_a_seed():
    start = feature_start(4_000, 0.5, seed=3)
    assert start.shape == (4_000, 16)
    assert float(start.abs().max()) <= 0.5
    assert abs(float(start.mean())) < 0.01
    assert float(start.std()) == pytest.approx(0.5 / np.sqrt(3), rel=0.02)
    assert start.equal(feature_start(4_000, 0.5, seed=3))
    assert not start.equal(feature_start(4_000, 0.5, seed=4))
