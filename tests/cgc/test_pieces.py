# SPDX-License-Identifier: GPL-3.0-or-later
"""Gaussians hang together as a slow reference finds them to."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse.csgraph import connected_components
from scipy.spatial.transform import Rotation

import cgc_addon.cgc.pieces as module
from cgc_addon.cgc.pieces import pieces

UPRIGHT = np.array([1.0, 0, 0, 0])


def slow_pieces(means, scales, quats, groups, reach) -> np.ndarray:
    """Compare all pairs, by where the ellipsoids end on the line between their means."""
    turns = Rotation.from_quat(quats[:, [1, 2, 3, 0]])
    linked = np.eye(len(means), dtype=bool)
    for first in range(len(means)):
        for second in range(first):
            line = means[second] - means[first]
            distance = np.linalg.norm(line)
            if distance > 0:
                reached = sum(
                    reach * np.linalg.norm(scales[one] * turns[one].inv().apply(line / distance))
                    for one in (first, second)
                )
                linked[first, second] = reached >= distance
            else:
                linked[first, second] = True
            linked[first, second] &= groups[first] == groups[second]
    component = connected_components(linked, directed=False)[1]
    return np.array([np.flatnonzero(component == one)[0] for one in component])


@given(
    count=st.integers(1, 60),
    seed=st.integers(0, 2**32 - 1),
    spread=st.floats(-3, 3),
    variety=st.floats(0, 2),
    reach=st.sampled_from([1.0, 2.0, 3.0]),
    at_once=st.sampled_from([1, 50, 1_000_000]),
)
@settings(max_examples=150, deadline=None)
def test_pieces_are_those_of_the_slow_reference(count, seed, spread, variety, reach, at_once):
    generator = np.random.default_rng(seed)
    means = np.exp(spread) * generator.standard_normal((count, 3))
    scales = 0.3 * np.exp(variety * generator.standard_normal((count, 3)))
    quats = generator.standard_normal((count, 4))
    groups = generator.integers(0, 3, count)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_PAIRS_AT_ONCE", at_once)
        found = pieces(means, scales, quats, groups, reach=reach)
    np.testing.assert_array_equal(found, slow_pieces(means, scales, quats, groups, reach))


def test_a_chain_is_one_piece_and_a_needle_reaches_along_its_axis_only():
    means = np.array([[0, 0, 0], [1, 0, 0], [2, 0, 0], [0, 2, 0]], np.float32)
    scales = np.tile(np.float32([0.2, 0.2, 0.2]), (4, 1))
    assert pieces(means, scales, np.tile(UPRIGHT, (4, 1)), reach=3.0).tolist() == [0, 0, 0, 3]
    scales[0] = [0.02, 0.6, 0.02]  # towards the last one, and no longer towards the second
    assert pieces(means, scales, np.tile(UPRIGHT, (4, 1)), reach=3.0).tolist() == [0, 1, 1, 0]


@given(seed=st.integers(0, 1000), factor=st.floats(0.01, 100))
@settings(max_examples=30, deadline=None)
def test_neither_place_nor_size_nor_turn_of_the_whole_matters(seed, factor):
    generator = np.random.default_rng(seed)
    means = generator.standard_normal((80, 3))
    scales = 0.1 * np.exp(0.5 * generator.standard_normal((80, 3)))
    quats = generator.standard_normal((80, 4))
    turn = Rotation.random(random_state=seed)
    turned = (turn * Rotation.from_quat(quats[:, [1, 2, 3, 0]])).as_quat()[:, [3, 0, 1, 2]]
    moved = factor * turn.apply(means) + generator.standard_normal(3)
    before, after = (
        pieces(means, scales, quats, reach=3.0),
        pieces(moved, factor * scales, turned, reach=3.0),
    )
    assert (before != after).mean() < 0.1  # a pair may just touch, and just not, by rounding


@pytest.mark.parametrize("size", [1e-12, 1.0, 1e15])
def test_tiny_and_huge_ones_are_found_in_one_scene_of_any_size(size):
    """A dust grain of a millionth touches what fills the scene, from whichever side."""
    generator = np.random.default_rng(2)
    grains = generator.uniform(-1.0, 1.0, (200, 3))
    means = size * np.concatenate([grains, [[0.0, 0, 0]], 5 + 1e-7 * grains])
    scales = size * np.repeat([1e-9, 1.0, 1e-7], [200, 1, 200])[:, None] * np.ones(3)
    found = pieces(means, scales, np.tile(UPRIGHT, (401, 1)), reach=3.0)
    np.testing.assert_array_equal(found, np.repeat([0, 0, 201], [200, 1, 200]))


def test_those_of_one_group_in_two_bodies_that_lie_in_each_other_are_two_pieces():
    generator = np.random.default_rng(3)
    directions = generator.standard_normal((3000, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    radii = np.repeat([1.0, 2.0], 1500)
    means, groups = directions * radii[:, None], np.tile([7, 4], 1500)
    scales = np.full((3000, 3), 0.08)
    found = pieces(means, scales, np.tile(UPRIGHT, (3000, 1)), groups, reach=3.0)
    expected = np.where(radii == 1.0, 0, 1500) + np.tile([0, 1], 1500)
    np.testing.assert_array_equal(found, expected)


def test_gaussians_without_extent_are_together_where_they_coincide():
    means = np.array([[1e6, 0, 0], [1e6, 0, 0], [0, 0, 0]])
    assert pieces(means, np.zeros((3, 3)), np.tile(UPRIGHT, (3, 1)), reach=3.0).tolist() == [
        0,
        0,
        2,
    ]


def test_of_none_there_is_no_piece():
    nothing = np.zeros((0, 3))
    assert pieces(nothing, nothing, np.zeros((0, 4)), reach=3.0).tolist() == []
