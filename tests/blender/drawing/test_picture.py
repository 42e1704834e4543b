# SPDX-License-Identifier: GPL-3.0-or-later
"""What the graphics card draws is the splat, by the rules of the rasterizers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

bpy = pytest.importorskip("bpy")

from cgc_addon.blender.drawing.graphics import new_texture, read_texture
from cgc_addon.blender.drawing.ordering import back_to_front
from cgc_addon.blender.drawing.picture import Painter, Style
from cgc_addon.blender.drawing.shown import Appearance, StoredSplat, Viewpoint

from .slow_pictures import (
    looking_at_origin,
    random_appearance,
    random_gaussians,
    slow_picture,
)

pytestmark = pytest.mark.usefixtures("graphics")


def assert_same(picture: np.ndarray, expected: np.ndarray, what: str = "") -> None:
    """Equal but for rounding, which decides here and there whether alpha is below 1/255."""
    difference = np.abs(picture - expected)
    assert difference.mean() < 2e-4, what
    assert difference.max() < 0.015, what


PHOTO = Style()


def drawn(appearances, viewpoint: Viewpoint, style: Style = PHOTO, nearest=None, step=10**9):
    painter = Painter()
    picture = painter.begin(appearances, back_to_front(appearances, viewpoint), viewpoint, style)
    near = None
    if nearest is not None:
        near = new_texture((viewpoint.width, viewpoint.height), "R32F", nearest)
    while not picture.complete:
        picture.draw(painter.blending, near, step)
    picture.wait()
    return picture


def pixels(*arguments, **options) -> np.ndarray:
    return read_texture(drawn(*arguments, **options).colors)


@pytest.mark.parametrize("degree", [0, 1, 2, 3])
@pytest.mark.parametrize("orthographic", [False, True])
def test_picture_is_that_of_the_formulas(degree: int, orthographic: bool) -> None:
    cloud = [random_appearance(degree=degree)]
    viewpoint = looking_at_origin(orthographic=orthographic)
    expected = slow_picture(cloud, viewpoint)
    assert expected[..., 3].max() > 0.9
    assert_same(pixels(cloud, viewpoint), expected)


def test_every_object_has_its_own_place_and_shape() -> None:
    shear = np.array([[1.2, 0.4, 0, 0.5], [0, 0.7, 0.1, -0.3], [0.2, 0, 1, 0.2], [0, 0, 0, 1]])
    mirror = np.diag([-1.0, 1.0, 1.0, 1.0])
    mirror[:3, 3] = -0.6
    splat = StoredSplat(random_gaussians(150))
    cloud = [
        Appearance(splat, shear),
        Appearance(splat, mirror),
        random_appearance(80, degree=1, seed=5),
    ]
    viewpoint = looking_at_origin()
    assert_same(pixels(cloud, viewpoint), slow_picture(cloud, viewpoint))


@pytest.mark.parametrize("orthographic", [False, True])
def test_what_reaches_into_the_picture_is_drawn_wherever_its_middle_lies(orthographic) -> None:
    viewpoint = looking_at_origin(orthographic=orthographic)
    few = random_gaussians(24)
    angles = np.linspace(0.0, 2.0 * np.pi, 24, endpoint=False)
    heights = np.linspace(-0.05, 0.05, 24)  # none at the depth of another
    around = 4.5 * np.stack([np.cos(angles), np.sin(angles), heights], axis=1)
    means = around @ viewpoint.world_to_view[:3, :3]  # a ring beside the picture
    wide = replace(
        few,
        means=means.astype(np.float32),
        log_scales=np.full((24, 3), 0.1, dtype=np.float32),
        logit_opacities=np.full(24, 2.0, dtype=np.float32),
    )
    cloud = [Appearance(StoredSplat(wide), np.eye(4))]
    expected = slow_picture(cloud, viewpoint)
    assert expected[..., 3].max() > 0.3
    assert_same(pixels(cloud, viewpoint), expected)


def test_size_scales_what_is_seen() -> None:
    cloud, viewpoint = [random_appearance()], looking_at_origin()
    for size in (0.4, 1.5):
        expected = slow_picture(cloud, viewpoint, size=size)
        assert_same(pixels(cloud, viewpoint, Style(size=size)), expected)


def test_what_is_in_front_hides_splats() -> None:
    cloud, viewpoint = [random_appearance()], looking_at_origin()
    nearest = np.ones((viewpoint.height, viewpoint.width))
    nearest[:, 20:40] = 0.0
    projection = viewpoint.projection
    at_origin = 0.5 * (projection[2, 2] * -4.0 + projection[2, 3]) / 4.0 + 0.5
    nearest[:, 40:] = at_origin
    expected = slow_picture(cloud, viewpoint, nearest=nearest)
    picture = pixels(cloud, viewpoint, nearest=nearest)
    assert not picture[:, 20:40].any()
    assert_same(picture, expected)
    assert np.abs(expected[:, 40:] - slow_picture(cloud, viewpoint)[:, 40:]).max() > 0.1


def test_slices_give_the_same_picture() -> None:
    cloud, viewpoint = [random_appearance()], looking_at_origin()
    whole, sliced = pixels(cloud, viewpoint), pixels(cloud, viewpoint, step=37)
    np.testing.assert_allclose(sliced, whole, atol=1e-6)


def test_modes_paint_what_they_say() -> None:
    gaussians = random_gaussians(200)
    random = np.random.default_rng(1)
    features = random.uniform(size=(200, 3)).astype(np.float32)
    splat = StoredSplat(gaussians, features)
    cloud = [Appearance(splat, np.eye(4), color=(0.2, 0.9, 0.4))]
    viewpoint = looking_at_origin()
    opacities = 1.0 / (1.0 + np.exp(-gaussians.logit_opacities))
    view = gaussians.means @ viewpoint.world_to_view[2, :3] + viewpoint.world_to_view[2, 3]
    near, far = 3.5, 4.5
    shares = np.clip((-1.0 / view - 1 / far) / (1 / near - 1 / far), 0.0, 1.0)
    expected = {
        "SEGMENT": np.tile([0.2, 0.9, 0.4], (200, 1)),
        "FEATURE": features,
        "OPACITY": np.tile(opacities[:, None], (1, 3)),
        "DEPTH": np.tile(0.1 + 0.9 * shares[:, None], (1, 3)),
    }
    for mode, colors in expected.items():
        slow = slow_picture(cloud, viewpoint, colors=[colors])
        style = Style(mode, depth_range=(near, far))
        assert_same(pixels(cloud, viewpoint, style), slow, mode)


def test_features_that_are_not_known_show_the_photo() -> None:
    cloud, viewpoint = [random_appearance()], looking_at_origin()
    shown = pixels(cloud, viewpoint, Style("FEATURE"))
    np.testing.assert_array_equal(shown, pixels(cloud, viewpoint))


def test_marks_tell_what_is_selected() -> None:
    clouds = [random_appearance(120, seed=seed) for seed in range(3)]
    clouds[1] = replace(clouds[1], selected=True)
    clouds[2] = replace(clouds[2], selected=True, active=True)
    viewpoint = looking_at_origin()
    marks = drawn(clouds, viewpoint, Style(marked=True)).marks
    assert marks is not None
    ones, zeros = np.ones((120, 3)), np.zeros((120, 3))
    red = slow_picture(clouds, viewpoint, colors=[zeros, ones, ones])[..., 0]
    green = slow_picture(clouds, viewpoint, colors=[zeros, zeros, ones])[..., 0]
    assert_same(read_texture(marks)[..., :2], np.stack([red, green], axis=2))


def test_far_from_the_world_s_origin_nothing_trembles() -> None:
    offset = np.array([1e6, -2e6, 5e5])
    cloud, viewpoint = [random_appearance()], looking_at_origin()
    there = np.eye(4)
    there[:3, 3] = offset
    back = there.copy()
    back[:3, 3] = -offset
    far = [replace(cloud[0], matrix=there)]
    seen = replace(viewpoint, world_to_view=viewpoint.world_to_view @ back)
    assert_same(pixels(far, seen), pixels(cloud, viewpoint))


def test_gaussians_are_uploaded_when_they_change_only() -> None:
    painter, viewpoint = Painter(), looking_at_origin()
    cloud, other = [random_appearance()], [random_appearance(seed=1)]

    def atlas(appearances):
        order = back_to_front(appearances, viewpoint)
        painter.begin(appearances, order, viewpoint, Style())
        return painter.atlas

    first = atlas(cloud)
    assert atlas([replace(cloud[0], matrix=np.diag([2.0, 2.0, 2.0, 1.0]))]) is first
    assert atlas([*cloud, *other]) is not first
    painter.forget()
    assert painter.atlas is None


def test_nothing_to_see_draws_nothing() -> None:
    viewpoint = looking_at_origin(distance=-8.0)  # all of it lies behind
    assert not pixels([random_appearance()], viewpoint).any()
