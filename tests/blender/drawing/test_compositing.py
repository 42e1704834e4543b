# SPDX-License-Identifier: GPL-3.0-or-later
"""Splats are laid over a region as display colours, and set off where they are selected."""

from __future__ import annotations

import numpy as np
import pytest

bpy = pytest.importorskip("bpy")

from cgc_addon.blender.drawing.compositing import Compositor, Outline
from cgc_addon.blender.drawing.graphics import (
    drawing_into,
    new_framebuffer,
    new_texture,
    read_texture,
)
from cgc_addon.blender.drawing.surroundings import Surroundings
from cgc_addon.srgb import linear_from_srgb, srgb_from_linear

pytestmark = pytest.mark.usefixtures("graphics")
SIZE = (32, 24)


def laid_over(
    picture: np.ndarray,
    below: np.ndarray,
    marks: np.ndarray | None = None,
    outline: Outline | None = None,
    depth: float = 1.0,
    **options: bool,
) -> np.ndarray:
    target = new_texture(SIZE, "RGBA32F")
    colors = new_texture(picture.shape[1::-1], "RGBA32F", picture)
    mark = None if marks is None else new_texture(marks.shape[1::-1], "RGBA32F", marks)
    depths = np.full(below.shape[:2], depth, dtype=np.float32)
    around = Surroundings(
        depths,
        below[..., 3] > 0.0,
        new_texture(SIZE, "R32F", depths),
        new_texture(SIZE, "RGBA32F", below),
    )
    area = (0, 0, *SIZE)
    with drawing_into(new_framebuffer(target), SIZE):
        Compositor().lay_over(colors, mark, around, outline or Outline(), area, **options)
    return read_texture(target)


def random_premultiplied(seed: int, size: tuple[int, int] = SIZE) -> np.ndarray:
    picture = np.random.default_rng(seed).uniform(size=(size[1], size[0], 4))
    picture[..., :3] *= picture[..., 3:]
    return picture


def test_over_is_over() -> None:
    picture, below = random_premultiplied(0), random_premultiplied(1)
    expected = picture + below * (1.0 - picture[..., 3:])
    np.testing.assert_allclose(laid_over(picture, below), expected, atol=1e-5)


def test_over_what_is_not_seen_here_it_is_written_as_light() -> None:
    picture, below = random_premultiplied(0), random_premultiplied(1)
    alpha = picture[..., 3:]
    light = linear_from_srgb(picture[..., :3] / alpha) * alpha
    result = laid_over(picture, below, depth=0.5)
    expected = srgb_from_linear(light + linear_from_srgb(below[..., :3]) * (1.0 - alpha))
    np.testing.assert_allclose(result[..., :3], expected, atol=1e-4)
    np.testing.assert_allclose(result[..., 3:], alpha + below[..., 3:] * (1 - alpha), atol=1e-5)
    # A world is behind everything, and seen by nobody here.
    empty = np.zeros_like(below)
    over_world = laid_over(picture, empty, empty_is_known=False)
    np.testing.assert_allclose(over_world[..., :3], srgb_from_linear(light), atol=1e-4)
    np.testing.assert_allclose(laid_over(picture, empty), picture, atol=1e-5)


def test_a_smaller_picture_is_enlarged_smoothly() -> None:
    ramp = np.zeros((12, 16, 4))
    ramp[..., 0] = (np.arange(16) + 0.5) / 16
    ramp[..., 1] = ((np.arange(12) + 0.5) / 12)[:, None]
    ramp[..., 3] = 1.0
    result = laid_over(ramp, np.zeros((24, 32, 4)))
    inside = result[1:-1, 1:-1]
    np.testing.assert_allclose(
        inside[..., 0], np.tile((np.arange(1, 31) + 0.5) / 32, (22, 1)), atol=1e-5
    )
    np.testing.assert_allclose(
        inside[..., 1], np.tile(((np.arange(1, 23) + 0.5) / 24)[:, None], (1, 30)), atol=1e-5
    )


def test_an_outline_runs_around_and_not_inside() -> None:
    marks = np.zeros((24, 32, 4))
    marks[8:16, 10:20, 0] = 1.0
    below = np.zeros((24, 32, 4))
    outline = Outline(selected=(1.0, 0.5, 0.0), active=(1.0, 1.0, 1.0), width=1.0)
    result = laid_over(np.zeros((24, 32, 4)), below, marks, outline)
    line = result[..., 3] > 0.5
    assert not line[8:16, 10:20].any()
    assert line[7, 12:18].all()
    assert line[16, 12:18].all()
    assert line[10:14, 9].all()
    assert line[10:14, 20].all()
    assert not line[:5].any()
    np.testing.assert_allclose(result[7, 15], [1.0, 0.5, 0.0, 1.0], atol=1e-5)
    marks[..., 1] = marks[..., 0]
    active = laid_over(np.zeros((24, 32, 4)), below, marks, outline)
    np.testing.assert_allclose(active[7, 15], 1.0, atol=1e-5)


def test_without_marks_there_is_no_outline() -> None:
    picture = random_premultiplied(2)
    picture[..., 0] = (np.arange(32) > 15) * picture[..., 3]
    result = laid_over(picture, np.zeros((24, 32, 4)))
    np.testing.assert_allclose(result, picture, atol=1e-5)
