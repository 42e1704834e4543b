# SPDX-License-Identifier: GPL-3.0-or-later
"""Gaussians that float apart are told from those that hang together."""

from __future__ import annotations

import numpy as np
import pytest

from cgc_addon.cgc.isolation import isolated

UPRIGHT = np.array([1.0, 0, 0, 0])


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


@pytest.mark.parametrize("count", [0, 1])
def test_few_are_not_isolated(count):
    assert isolated(*round_ones(np.zeros((count, 3)))).tolist() == [False] * count
