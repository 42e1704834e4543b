# SPDX-License-Identifier: GPL-3.0-or-later
"""A line runs where a mask ends, a tint lies inside, and the rest stays as it is."""

from __future__ import annotations

import numpy as np
import pytest

bpy = pytest.importorskip("bpy")

from cgc_addon.blender.drawing.graphics import (
    drawing_into,
    new_framebuffer,
    new_texture,
    read_texture,
)
from cgc_addon.blender.drawing.highlight import Highlighter

pytestmark = pytest.mark.usefixtures("graphics")
CELL = 4
COLOR = (1.0, 0.5, 0.0)


def test_a_square_is_set_off() -> None:
    mask = np.zeros((12, 12), np.float32)
    mask[3:9, 3:9] = 1.0
    size = (48, 48)
    below = np.full((*size, 4), (0.2, 0.4, 0.6, 1.0), np.float32)
    target = new_texture(size, "RGBA32F", below)
    with drawing_into(new_framebuffer(target), size):
        texture = new_texture((12, 12), "R32F", mask)
        Highlighter().draw(texture, COLOR, (0, 0, *size), CELL, 1.5, 0.25)
    drawn = read_texture(target)[..., :3]
    outside, inside = below[0, 0, :3], 0.75 * below[0, 0, :3] + 0.25 * np.array(COLOR)
    assert np.allclose(drawn[:9], outside, atol=1e-5)
    assert np.allclose(drawn[18:30, 18:30], inside, atol=1e-5)
    for edge in (12, 36):  # between the cells
        assert np.allclose(drawn[edge - 1 : edge + 1, 24], COLOR, atol=0.02)
        assert np.allclose(drawn[24, edge - 1 : edge + 1], COLOR, atol=0.02)


def test_it_is_drawn_into_its_area_alone() -> None:
    size = (40, 40)
    target = new_texture(size, "RGBA32F", np.zeros((40, 40, 4), np.float32))
    with drawing_into(new_framebuffer(target), size):
        texture = new_texture((4, 4), "R32F", np.ones((4, 4), np.float32))
        Highlighter().draw(texture, COLOR, (8, 16, 16, 16), CELL, 1.5, 1.0)
    drawn = read_texture(target)[..., 0]
    assert (drawn[16:32, 8:24] == 1.0).all()
    drawn[16:32, 8:24] = 0.0
    assert not drawn.any()
