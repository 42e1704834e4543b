# SPDX-License-Identifier: GPL-3.0-or-later
"""A far place is hidden as far as surfaces lie before it in every view that shows it."""

from __future__ import annotations

import numpy as np
import pytest

from cgc_addon.dataset.scene import PinholeCamera, View
from cgc_addon.splats.hiding import hidden_shares


def camera_at(x: float, width: int = 96, height: int = 72) -> View:
    """Return a camera that looks along z, with pixels of a hundredth of the depth."""
    pose = np.eye(4)
    pose[0, 3] = -x
    return View(
        "photo.png", PinholeCamera(width, height, width, width, width / 2, height / 2), pose
    )


def wall(left: float, right: float) -> np.ndarray:
    """Return points at a depth of 1, closer together than the cells are."""
    x, y = np.meshgrid(np.arange(left, right, 0.004), np.arange(-0.5, 0.5, 0.004))
    return np.column_stack([x.ravel(), y.ravel(), np.ones(x.size)])


FAR = np.array([[-30.0, 0.0, 100.0], [0.0, 0.0, 100.0], [30.0, 0.0, 100.0]])


def test_a_wall_hides_what_is_behind_it_and_half_of_what_is_at_its_border() -> None:
    shares = hidden_shares(FAR, [camera_at(0.0)], wall(-0.5, 0.0), 10.0)
    assert shares[0] == 1.0
    assert shares[1] == pytest.approx(0.5, abs=0.1)
    assert shares[2] == 0.0


def test_the_view_that_sees_most_of_a_place_decides() -> None:
    views = [camera_at(0.0), camera_at(-1.0)]  # the second looks past the wall
    shares = hidden_shares(FAR[:1], views, wall(-0.5, 0.0), 10.0)
    assert shares[0] == 0.0


def test_a_view_that_does_not_show_a_place_says_nothing() -> None:
    beside = camera_at(-1.0)
    beside = View("b", beside.camera, np.diag([-1.0, 1.0, -1.0, 1.0]))  # looks the other way
    shares = hidden_shares(FAR[:1], [camera_at(0.0), beside], wall(-0.5, 0.0), 10.0)
    assert shares[0] == 1.0


@pytest.mark.parametrize(("width", "height"), [(96, 72), (1, 1), (37, 500), (4000, 3000)])
def test_pictures_may_have_any_size(width: int, height: int) -> None:
    shares = hidden_shares(FAR[1:2], [camera_at(0.0, width, height)], wall(-0.4, 0.4), 1.0)
    assert shares[0] == 1.0


def test_no_surface_hides_nothing() -> None:
    shares = hidden_shares(FAR, [camera_at(0.0)], np.zeros((0, 3)), 10.0)
    assert not shares.any()
