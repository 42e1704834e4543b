# SPDX-License-Identifier: GPL-3.0-or-later
"""A label map as a coloured picture."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("bpy")

from cgc_addon.blender.photo_masks.picture import MOST_PIXELS, borders, mask_picture


def squares() -> np.ndarray:
    labels = np.zeros((30, 40), np.uint16)
    labels[2:12, 2:12], labels[2:12, 12:22], labels[15:28, 5:35] = 1, 2, 300
    return labels


def test_masks_differ_and_the_unlabelled_shows_the_photo():
    picture = mask_picture(squares())[::-1]
    assert picture.shape == (30, 40, 4)
    assert picture.dtype == np.float32
    inside = [tuple(picture[y, x]) for y, x in ((6, 6), (6, 17), (20, 20))]
    assert len(set(inside)) == 3
    assert all(color[3] == 1.0 for color in inside)
    assert not picture[squares() == 0].any()
    assert tuple(picture[6, 11, :3]) == (0.0, 0.0, 0.0)  # between two masks


def test_what_is_picked_stands_out():
    before, picture = mask_picture(squares())[::-1], mask_picture(squares(), (2,))[::-1]
    assert picture[6, 17, :3].sum() > before[6, 17, :3].sum()
    assert picture[6, 17, 3] == 1.0
    assert picture[6, 6, 3] < 0.5
    assert tuple(picture[6, 12]) == (1.0, 1.0, 1.0, 1.0)
    assert not picture[squares() == 0].any()


def test_large_maps_become_pictures_that_fit():
    labels = np.zeros((100, 3 * MOST_PIXELS + 1), np.uint8)
    labels[:, 60:] = 7
    picture = mask_picture(labels)
    assert max(picture.shape) <= MOST_PIXELS
    assert picture[0, 0, 3] == 0.0
    assert picture[0, -1, 3] == 1.0


def test_borders_are_on_both_sides():
    labels = np.array([[1, 1, 2, 2]])
    assert borders(labels).tolist() == [[False, True, True, False]]
    assert not borders(np.ones((1, 1))).any()
