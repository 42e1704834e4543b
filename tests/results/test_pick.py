# SPDX-License-Identifier: GPL-3.0-or-later
"""Pointing at a ball in a view finds its segment, and the balls with such features."""

from __future__ import annotations

import numpy as np
import pytest

from cgc_addon.dataset.scene import PinholeCamera, View
from cgc_addon.errors import CgcError
from cgc_addon.rasterize.select import select_backend
from cgc_addon.results.pick import pick, view_named
from cgc_addon.splats.gaussians import Gaussians

RED, BLUE = np.eye(16, dtype=np.float32)[:2]
VIEW = View("left/0001.jpg", PinholeCamera(90, 20, 60.0, 60.0, 45.0, 10.0), np.eye(4))
LEFT, MIDDLE, RIGHT = (25.0, 10.0), (45.0, 10.0), (65.0, 10.0)


@pytest.fixture(scope="module")
def backend():
    return select_backend("cpu")[0]


@pytest.fixture(scope="module")
def balls() -> Gaussians:
    """Three balls two units apart, from left to right segments 4, 2, none; the outer two alike."""
    means = np.array([[-2, 0, 6], [0, 0, 6], [2, 0, 6]], np.float32)
    return Gaussians(
        means=means,
        log_scales=np.full((3, 3), np.log(0.3), np.float32),
        quats=np.tile(np.float32([1, 0, 0, 0]), (3, 1)),
        logit_opacities=np.full(3, 6.0, np.float32),
        sh=np.ones((3, 1, 3), np.float32),
        features=np.stack([RED, BLUE, 0.5 * RED]),
        segments=np.array([4, 2, 0], np.int32),
    )


def test_the_segments_pointed_at_each_once(balls, backend):
    found = pick(balls, VIEW, [MIDDLE, LEFT, MIDDLE], backend)
    assert found.segments == (2, 4)
    assert found.selected.tolist() == [True, True, False]
    assert pick(balls, VIEW, [LEFT], backend).selected.tolist() == [True, False, False]


def test_all_that_look_alike_are_picked_by_feature(balls, backend):
    found = pick(balls, VIEW, [RIGHT], backend, by="feature")
    assert found.segments == ()
    assert found.selected.tolist() == [True, False, True]
    both = pick(balls, VIEW, [RIGHT, MIDDLE], backend, by="feature")
    assert both.selected.all()


def test_how_much_alike_can_be_said(balls, backend):
    everything = pick(balls, VIEW, [RIGHT], backend, by="feature", minimum_cosine=-1.0)
    assert everything.selected.all()


@pytest.mark.parametrize("by", ["segment", "feature"])
def test_nothing_there_is_said(balls, backend, by):
    with pytest.raises(CgcError, match=r"\(3, 2\) of left/0001\.jpg"):
        pick(balls, VIEW, [(3.0, 2.0)], backend, by=by)
    with pytest.raises(CgcError, match="outside the view of 90×20"):
        pick(balls, VIEW, [(90.0, 2.0)], backend, by=by)


def test_a_ball_of_no_segment_is_none(balls, backend):
    with pytest.raises(CgcError, match="Nothing that belongs to a segment"):
        pick(balls, VIEW, [RIGHT], backend)


def test_views_are_named_with_or_without_ending():
    other = View("left/0002.jpg", VIEW.camera, VIEW.world_to_camera)
    assert view_named((VIEW, other), "left/0002.jpg") is other
    assert view_named((VIEW, other), "left/0001") is VIEW
    with pytest.raises(CgcError, match=r"no view 0002 among the 2 of these cameras; one is left"):
        view_named((VIEW, other), "0002")
