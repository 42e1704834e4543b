# SPDX-License-Identifier: GPL-3.0-or-later
"""While the view moves, splats are blended over a region, and hidden by it, without reading it."""

from __future__ import annotations

import numpy as np
import pytest

bpy = pytest.importorskip("bpy")

from cgc_addon.blender.drawing.blending import Blending
from cgc_addon.blender.drawing.compositing import Outline
from cgc_addon.blender.drawing.depth_compositing import DepthCompositor
from cgc_addon.blender.drawing.graphics import new_texture, read_color, read_texture
from cgc_addon.blender.drawing.ordering import back_to_front
from cgc_addon.blender.drawing.picture import Painter, Style
from cgc_addon.blender.drawing.projection import depth_of_nearness
from cgc_addon.srgb import linear_from_srgb, srgb_from_linear

from .slow_pictures import looking_at_origin, random_appearance

pytestmark = pytest.mark.usefixtures("graphics")
SIZE = (32, 24)
GROUND = (0.25, 0.3, 0.2, 1.0)


def laid_over(
    picture: np.ndarray,
    marks: np.ndarray,
    *,
    texel_format: str = "RGBA32F",
    depth: float = 1.0,
    background: tuple[float, float, float] | None = None,
    outline: Outline | None = None,
) -> np.ndarray:
    """Return what a region of one colour and depth holds afterwards, as it is stored."""
    import gpu

    target = new_texture(SIZE, texel_format)
    depths = gpu.types.GPUTexture(SIZE, format="DEPTH_COMPONENT32F")
    framebuffer = gpu.types.GPUFrameBuffer(color_slots=(target,), depth_slot=depths)
    size = picture.shape[1::-1]
    drawn = new_texture(size, "RGBA32F", picture), new_texture(size, "RGBA32F", marks)
    area = (0, 0, *SIZE)
    ground = GROUND
    if texel_format == "SRGB8_A8":  # which is cleared to light
        ground = (*linear_from_srgb(np.array(GROUND[:3])).tolist(), 1.0)
    with framebuffer.bind():
        gpu.state.depth_mask_set(True)  # else depths are not cleared
        framebuffer.clear(color=ground, depth=depth)
        gpu.state.depth_mask_set(False)
        DepthCompositor().lay_over(*drawn, (0.0, 1.0), background, outline, area)
        return read_color(framebuffer, area).copy()


def random_premultiplied(seed: int) -> np.ndarray:
    picture = np.random.default_rng(seed).uniform(0.05, 1.0, size=(SIZE[1], SIZE[0], 4))
    picture[..., :3] *= picture[..., 3:]
    return picture


def marks_at(depth: float, alpha: np.ndarray) -> np.ndarray:
    marks = np.zeros((*alpha.shape, 4))
    marks[..., 2], marks[..., 3] = depth * alpha, alpha
    return marks


def test_over_is_over() -> None:
    picture = random_premultiplied(0)
    expected = picture + np.array(GROUND) * (1.0 - picture[..., 3:])
    result = laid_over(picture, marks_at(0.5, picture[..., 3]))
    np.testing.assert_allclose(result, expected, atol=1e-5)


def test_what_is_nearer_hides_it_pixel_by_pixel() -> None:
    picture = random_premultiplied(0)
    marks = marks_at(0.5, picture[..., 3])
    marks[:, 16:] = marks_at(0.7, picture[:, 16:, 3])
    expected = picture + np.array(GROUND) * (1.0 - picture[..., 3:])
    expected[:, 16:] = GROUND
    result = laid_over(picture, marks, depth=0.6)
    np.testing.assert_allclose(result, expected, atol=1e-5)


def test_where_light_is_blended_a_known_background_makes_no_difference() -> None:
    picture = random_premultiplied(1)
    marks = marks_at(0.5, picture[..., 3])
    exact = picture + np.array(GROUND) * (1.0 - picture[..., 3:])
    known = laid_over(picture, marks, texel_format="SRGB8_A8", background=GROUND[:3])
    np.testing.assert_allclose(known[..., :3], exact[..., :3], atol=0.008)
    unknown = laid_over(picture, marks, texel_format="SRGB8_A8")
    alpha = picture[..., 3:]
    light = linear_from_srgb(picture[..., :3] / alpha) * alpha
    light += linear_from_srgb(np.array(GROUND[:3])) * (1.0 - alpha)
    np.testing.assert_allclose(unknown[..., :3], srgb_from_linear(light), atol=0.008)


def test_a_coarse_picture_reaches_no_farther_than_it_is_seen() -> None:
    picture = np.zeros((6, 8, 4))
    picture[2:4, 2:6] = 0.5, 0.25, 0.0, 0.5
    result = laid_over(picture, marks_at(0.5, picture[..., 3]))
    changed = np.abs(result - np.array(GROUND)).max(axis=2) > 1e-4
    assert changed[8:16, 8:24].all()
    assert not changed[:6].any()
    assert not changed[18:].any()
    np.testing.assert_allclose(
        result[10:14, 10:22], np.broadcast_to([0.625, 0.4, 0.1, 1.0], (4, 12, 4)), atol=1e-5
    )


@pytest.mark.parametrize("coarse", [1, 4])
def test_an_outline_runs_around_what_is_selected(coarse: int) -> None:
    marks = np.zeros((24 // coarse, 32 // coarse, 4))
    marks[8 // coarse : 16 // coarse, 8 // coarse : 24 // coarse] = 1.0, 0.0, 0.5, 1.0
    outline = Outline(selected=(1.0, 0.5, 0.0), width=1.0)
    picture = marks[..., 3:] * np.array([0.0, 0.0, 0.0, 1.0])
    result = laid_over(picture, marks, outline=outline)
    orange = np.abs(result[..., :3] - (1.0, 0.5, 0.0)).max(axis=2) < 0.1
    assert orange[6:9, 12:20].any(axis=0).all()
    assert orange[15:18, 12:20].any(axis=0).all()
    assert not orange[10:14, 10:22].any()
    assert not orange[:5].any()
    hidden = laid_over(picture, marks, outline=outline, depth=0.4)
    np.testing.assert_allclose(hidden, np.broadcast_to(GROUND, hidden.shape), atol=1e-6)


@pytest.mark.parametrize("orthographic", [False, True])
def test_nearness_is_the_depth_that_blender_has(orthographic: bool) -> None:
    viewpoint = looking_at_origin(orthographic=orthographic)
    cloud = [random_appearance()]
    order = back_to_front(cloud, viewpoint)
    picture = Painter().begin(cloud, order, viewpoint, Style(marked=True))
    picture.draw(Blending(), None, 1)  # the farthest alone
    assert picture.marks is not None
    marks = read_texture(picture.marks)
    covered = marks[..., 3] > 0.0
    assert covered.any()
    offset, factor = depth_of_nearness(viewpoint)
    mean = np.append(cloud[0].splat.gaussians.means[order.gaussians[0]], 1.0)
    clip = viewpoint.projection @ viewpoint.world_to_view @ cloud[0].matrix @ mean
    depths = offset + factor * marks[covered, 2] / marks[covered, 3]
    np.testing.assert_allclose(depths, 0.5 * clip[2] / clip[3] + 0.5, atol=1e-5)
