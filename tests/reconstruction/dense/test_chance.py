# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands alone was matched by chance, unless cameras were found by points near it."""

import numpy as np
import pytest

from cgc_addon.reconstruction.dense.chance import stand_alone

CENTERS = np.array([[0.0, 0.0, -4.0], [1.0, 0.0, -4.0]])
"""Cameras, some four units before the table."""


@pytest.fixture
def table():
    """(400, 3) points of a surface."""
    across, down = np.meshgrid(np.linspace(-1.0, 1.0, 20), np.linspace(-1.0, 1.0, 20))
    return np.stack([across, down, np.zeros_like(across)], axis=-1).reshape(-1, 3)


@pytest.fixture
def stray():
    """(30, 3) points together, far behind the table."""
    return np.random.default_rng(0).normal((0.0, 0.0, 30.0), 0.5, (30, 3))


def test_a_few_points_far_behind_are_on_nothing(table, stray):
    alone = stand_alone(np.concatenate([table, stray]), CENTERS, table)
    assert not alone[: len(table)].any()
    assert alone[len(table) :].all()


@pytest.mark.parametrize(("sparse", "believed"), [(1, False), (2, True)])
def test_points_that_cameras_were_found_by_prove_that_something_is_there(
    table, stray, sparse, believed
):
    known = np.concatenate([table, stray[:sparse]])
    alone = stand_alone(np.concatenate([table, stray]), CENTERS, known)
    assert alone[len(table) :].any() != believed


def test_as_many_as_of_a_real_surface_are_kept(table, stray):
    wall = np.concatenate([stray, stray + 0.1])
    assert not stand_alone(np.concatenate([table, wall]), CENTERS, table).any()


def test_no_points_are_none(table):
    assert stand_alone(np.zeros((0, 3)), CENTERS, table).shape == (0,)
