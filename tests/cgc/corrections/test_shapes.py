# SPDX-License-Identifier: GPL-3.0-or-later
"""An object is found again: exactly among its own Gaussians, closely among others."""

from __future__ import annotations

import numpy as np
import pytest

from cgc_addon.cgc.corrections.shapes import find_again, shape_of


def two_balls(random: np.random.Generator, count: int = 600) -> tuple[np.ndarray, np.ndarray]:
    """Return points of two balls that touch and of a floor, and which are of the first ball."""
    directions = random.normal(size=(2 * count, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    directions[count:, 0] += 2.0
    floor = np.concatenate([random.uniform(-4, 6, (count, 2)), np.full((count, 1), -1.0)], axis=1)
    means = np.concatenate([directions, floor]).astype(np.float32)
    return means, np.arange(3 * count) < count


@pytest.mark.parametrize("seed", [0, 1])
def test_among_the_same_gaussians_the_same_ones_are_found_in_any_order(seed):
    random = np.random.default_rng(seed)
    means, members = two_balls(random)
    members &= random.random(len(members)) < 0.5  # any set, whatever its shape
    order = random.permutation(len(means))
    found = find_again(shape_of(means, members), means[order])
    assert np.array_equal(found.members, members[order])
    assert found.share == 1.0


def test_among_other_gaussians_of_the_scene_the_object_is_found():
    means, members = two_balls(np.random.default_rng(0))
    others, own = two_balls(np.random.default_rng(1), 400)
    found = find_again(shape_of(means, members), others).members
    assert (found & own).sum() / (found | own).sum() > 0.95


def test_the_border_is_that_of_the_groups_where_these_are_clearly_in_or_out():
    means, members = two_balls(np.random.default_rng(0))
    others, own = two_balls(np.random.default_rng(1), 400)
    groups = np.where(own, 1, 2)
    found = find_again(shape_of(means, members), others, groups).members
    assert np.array_equal(found, own)


def test_part_of_a_group_stays_part_of_it():
    means, members = two_balls(np.random.default_rng(0))
    others, own = two_balls(np.random.default_rng(1), 400)
    upper = means[:, 2] > 0
    found = find_again(shape_of(means, members & upper), others, np.ones(len(others), int)).members
    wanted = own & (others[:, 2] > 0)
    assert (found & wanted).sum() / (found | wanted).sum() > 0.85


def test_in_another_scene_nothing_is_found():
    means, members = two_balls(np.random.default_rng(0))
    found = find_again(shape_of(means, members), means + 100)
    assert found.share == 0.0
    assert not found.members.any()


def test_a_single_gaussian_is_an_object_too():
    means = np.float32([[0, 0, 0], [1, 0, 0], [2, 0, 0]])
    shape = shape_of(means, np.array([False, True, False]))
    assert find_again(shape, means).members.tolist() == [False, True, False]
