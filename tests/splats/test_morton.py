# SPDX-License-Identifier: GPL-3.0-or-later
"""Neighbours on the curve are neighbours in space."""

from __future__ import annotations

import numpy as np

from cgc_addon.splats.morton import morton_codes, morton_order


def test_a_grid_comes_cell_by_cell() -> None:
    cube = np.stack(np.meshgrid(*[np.arange(4.0)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    shuffled = cube[np.random.default_rng(0).permutation(64)]
    # Of equal coordinates some rank before others, so cells are cut through them: no grid then.
    shuffled += np.random.default_rng(1).uniform(-0.1, 0.1, shuffled.shape)
    ordered = shuffled[morton_order(shuffled)]
    octants = (ordered > 1.5) @ [1, 2, 4]
    np.testing.assert_array_equal(octants, np.repeat(np.arange(8), 8))


def test_steps_are_short_however_far_some_points_are() -> None:
    points = np.random.default_rng(0).normal(size=(4000, 3))
    points[:3] *= 1e6
    order = morton_order(points)
    np.testing.assert_array_equal(np.sort(order), np.arange(4000))
    near = np.linalg.norm(points, axis=1) < 10

    def step(places: np.ndarray) -> float:
        return float(np.median(np.linalg.norm(np.diff(points[places], axis=0), axis=1)))

    assert step(order[near[order]]) < 0.25 * step(np.flatnonzero(near))


def test_points_in_one_place_and_none_at_all() -> None:
    assert sorted(morton_order(np.ones((5, 3)))) == [0, 1, 2, 3, 4]
    assert len(morton_order(np.zeros((0, 3)))) == 0


def test_codes_have_the_bits_of_all_axes_in_turn():
    cells = np.random.default_rng(0).integers(0, 1 << 21, (200, 3))
    cells[0], cells[1] = 0, (1 << 21) - 1
    for code, cell in zip(morton_codes(cells).tolist(), cells.tolist(), strict=True):
        assert code == sum(
            (cell[axis] >> bit & 1) << 3 * bit + axis for axis in range(3) for bit in range(21)
        )
