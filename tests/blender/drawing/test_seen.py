# SPDX-License-Identifier: GPL-3.0-or-later
"""What is seen in a whole region is what a click picks in each of its cells."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("bpy")

from cgc_addon.blender.drawing.pick import pick
from cgc_addon.blender.drawing.seen import HIDDEN, seen_in
from cgc_addon.blender.drawing.shown import Appearance, StoredSplat, Viewpoint

from .test_pick import HEIGHT, WIDTH, perspective, placed, some_gaussians


@pytest.mark.parametrize("size", [1.0, 0.4])
def test_at_the_size_of_pixels_it_is_what_a_click_picks(size: float) -> None:
    appearances, viewpoint = placed(), perspective()
    seen = seen_in(appearances, viewpoint, size)
    assert (seen.cell, seen.appearances.shape) == (1.0, (HEIGHT, WIDTH))
    different = 0
    for row in range(HEIGHT):
        for column in range(WIDTH):
            hit = pick(appearances, viewpoint, column + 0.5, row + 0.5, size, range(3))
            different += (-1 if hit is None else hit.appearance) != seen.appearances[row, column]
    assert different <= 2  # where two cover as much


def test_coarse_cells_lie_where_fine_ones_do() -> None:
    appearances, viewpoint = placed(), replace(perspective(), width=10 * WIDTH, height=10 * HEIGHT)
    fine, coarse = seen_in(appearances, viewpoint), seen_in(appearances, viewpoint, 1.0, 1000)
    assert coarse.cell == 11.0
    rows, columns = np.indices(coarse.appearances.shape)
    rows, columns = (11 * rows + 5).clip(0, 299), (11 * columns + 5).clip(0, 399)
    step = int(fine.cell)
    assert (fine.appearances[rows // step, columns // step] == coarse.appearances).mean() > 0.9


def test_in_parts_it_is_the_same(monkeypatch) -> None:
    from cgc_addon.blender.drawing import seen as module

    whole = seen_in(placed(), perspective())
    monkeypatch.setattr(module, "_AT_ONCE", 50)
    parts = seen_in(placed(), perspective())
    # Less of what hardly shows is counted.
    assert (whole.appearances != parts.appearances).sum() <= 3
    assert np.array_equal(whole.depths, parts.depths)


def test_a_gaussian_is_visible_while_enough_light_comes_through() -> None:
    lens = np.diag([0.5, 0.5, -0.01, 1.0])
    lens[3], lens[2, 3] = (0, 0, -1, 0), -0.2
    view = Viewpoint(np.eye(4), lens, 40, 40)
    walls = replace(
        some_gaussians(5, 0),
        means=np.float32([[0, 0, -z] for z in (2, 3, 4, 5, 6)]),
        log_scales=np.full((5, 3), 1, np.float32),
        logit_opacities=np.zeros(5, np.float32),
    )
    seen = seen_in([Appearance(StoredSplat(walls), np.eye(4))], view)
    # Half, a quarter, an eighth come through; after the fourth it is less than a tenth.
    assert 0.5**3 > HIDDEN > 0.5**4
    middle = np.full((6, 2), 20.2)
    middle[5] = (41.0, 20.0)
    visible = seen.is_visible(middle, np.array([2.0, 3.0, 4.0, 5.0, 6.0, 2.0]))
    assert visible.tolist() == [True, True, True, True, False, False]


def test_where_nothing_is_nothing_is_hidden() -> None:
    seen = seen_in([], perspective())
    assert (seen.appearances == -1).all()
    assert np.isinf(seen.depths).all()
    assert seen.is_visible(np.array([[3.0, 3.0]]), np.array([1e6])).all()
