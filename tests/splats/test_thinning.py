# SPDX-License-Identifier: GPL-3.0-or-later
"""A cloud with fewer points has still the same shape."""

import numpy as np
import pytest

from cgc_addon.splats.thinning import thinned


@pytest.mark.parametrize("stray", [False, True])
def test_every_part_keeps_its_share(stray):
    random = np.random.default_rng(0)
    parts = np.concatenate([random.normal(center, 0.1, (2_000, 3)) for center in range(5)])
    part = np.repeat(np.arange(5), 2_000)
    if stray:  # one point far away must not press the others into one place
        parts, part = np.append(parts, [[1e7, 0, 0]], 0), np.append(part, 0)
    kept = thinned(parts, 500)
    assert len(np.unique(kept)) == 500
    counts = np.bincount(part[kept])
    assert counts.min() >= 98
    assert counts.max() <= 102


def test_what_is_left_lies_near_everything():
    random = np.random.default_rng(1)
    square = np.column_stack([random.random((10_000, 2)), np.zeros(10_000)])
    kept = square[thinned(square, 400)]
    nearest = np.sqrt(((square[:, None] - kept[None]) ** 2).sum(2).min(1))
    by_chance = square[random.choice(10_000, 400, replace=False)]
    randomly = np.sqrt(((square[:, None] - by_chance[None]) ** 2).sum(2).min(1))
    assert nearest.mean() < 0.95 * randomly.mean()
    assert nearest.max() < 0.15


def test_points_at_one_place_and_too_few_points_are_no_special_case():
    assert len(thinned(np.zeros((10, 3)), 4)) == 4
    assert thinned(np.zeros((3, 3)), 4).tolist() == [0, 1, 2]
