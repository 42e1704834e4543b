# SPDX-License-Identifier: GPL-3.0-or-later
"""Gaussians that float apart are told from those that hang together, as a slow reference does."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse.csgraph import connected_components
from scipy.spatial.transform import Rotation

from cgc_addon.cgc import isolation
from cgc_addon.cgc.isolation import isolated, pieces

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
        patch.setattr(isolation, "_PAIRS_AT_ONCE", at_once)
        found = pieces(means, scales, quats, groups, reach=reach)
    np.testing.assert_array_equal(found, slow_pieces(means, scales, quats, groups, reach))


def test_a_chain_is_one_piece_and_a_needle_reaches_along_its_axis_only():
    means = np.array([[0, 0, 0], [1, 0, 0], [2, 0, 0], [0, 2, 0]], np.float32)
    scales = np.tile(np.float32([0.2, 0.2, 0.2]), (4, 1))
    assert pieces(means, scales, np.tile(UPRIGHT, (4, 1))).tolist() == [0, 0, 0, 3]
    scales[0] = [0.02, 0.6, 0.02]  # towards the last one, and no longer towards the second
    assert pieces(means, scales, np.tile(UPRIGHT, (4, 1))).tolist() == [0, 1, 1, 0]


def ball(center: list[float], count: int, seed: int = 0) -> np.ndarray:
    return center + 0.1 * np.random.default_rng(seed).standard_normal((count, 3))


def round_ones(means: np.ndarray, scale: float = 0.1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return means, np.full((len(means), 3), scale), np.tile(UPRIGHT, (len(means), 1))


def test_crumbs_are_isolated_and_pieces_of_weight_are_not():
    pair = np.concatenate([ball([0, 0, 0], 300), ball([5, 0, 0], 60), ball([0, 9, 0], 6)])
    crumbs = np.concatenate([ball([0, 0, 9], 5), ball([0, 0, -9], 1)])
    found = isolated(*round_ones(np.concatenate([pair, crumbs])))
    assert np.flatnonzero(found).tolist() == list(range(366, 372))


@pytest.mark.parametrize(
    ("body", "crumbs"), [(4, 0), (10, 1), (24, 4), (30, 4), (250, 4), (600, 11)]
)
def test_how_many_make_a_crumb_goes_by_the_body(body: int, crumbs: int):
    """A fiftieth of the body's Gaussians, and in small ones a fifth, up to five of them."""
    for count in (crumbs, crumbs + 1):
        means = np.concatenate([ball([0, 0, 0], body), ball([9, 0, 0], count)])
        found = isolated(*round_ones(means))
        assert found.tolist() == [False] * body + [count == crumbs] * count


def test_each_object_is_measured_by_its_own_largest_piece_and_none_is_no_object():
    means = np.concatenate([ball([0, 0, 0], 210), ball([0, 9, 0], 4), ball([0, 20, 0], 1)])
    groups = np.repeat(np.array([1, 2, 0]), (210, 4, 1))
    assert not isolated(*round_ones(means), groups).any()
    assert isolated(*round_ones(means), np.ones(215, int)).sum() == 5


def test_what_is_scattered_as_a_whole_has_no_body_to_be_apart_from():
    means = 1000 * np.random.default_rng(0).standard_normal((19, 3))
    assert not isolated(*round_ones(means)).any()


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
    before, after = pieces(means, scales, quats), pieces(moved, factor * scales, turned)
    assert (before != after).mean() < 0.1  # a pair may just touch, and just not, by rounding


@pytest.mark.parametrize("count", [0, 1])
def test_few_are_not_isolated(count):
    assert isolated(*round_ones(np.zeros((count, 3)))).tolist() == [False] * count


def test_gaussians_without_extent_are_together_where_they_coincide():
    means = np.array([[1e6, 0, 0], [1e6, 0, 0], [0, 0, 0]])
    assert pieces(*round_ones(means, 0.0)).tolist() == [0, 0, 2]
