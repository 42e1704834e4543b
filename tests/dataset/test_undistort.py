# SPDX-License-Identifier: GPL-3.0-or-later
"""Undistortion agrees with pycolmap's for every camera model; ids move with the colours."""

from __future__ import annotations

import numpy as np
import pycolmap
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cgc_addon.dataset.colmap.records import ColmapCamera
from cgc_addon.dataset.scene import PinholeCamera
from cgc_addon.dataset.undistort import (
    pinhole_camera,
    remap_bilinear,
    remap_nearest,
    source_positions,
    to_pycolmap,
    valid_pixels,
)
from cgc_addon.errors import CgcError

PERSPECTIVE = sorted(set(pycolmap.CameraModelId.__members__) - {"INVALID", "EQUIRECTANGULAR"})
DISTORTED = sorted(set(PERSPECTIVE) - {"PINHOLE", "SIMPLE_PINHOLE"})
WIDTH, HEIGHT = 64, 52


@pytest.fixture
def camera_of(camera_examples):
    return lambda model: ColmapCamera(model, WIDTH, HEIGHT, tuple(camera_examples[model]))


def noise(seed: int = 0) -> np.ndarray:
    """Neighbouring pixels differ by 85 on average: a shift of 0.05 px shows as 4 or more."""
    return np.random.default_rng(seed).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)


@pytest.mark.parametrize("model", DISTORTED)
def test_colors_and_camera_agree_with_pycolmap(model, camera_of):
    camera = camera_of(model)
    pinhole = pinhole_camera(camera, "here")
    options = pycolmap.UndistortCameraOptions(blank_pixels=0.0)
    bitmap, expected = pycolmap.undistort_image(
        options, pycolmap.Bitmap.from_array(noise()), to_pycolmap(camera)
    )
    assert (pinhole.width, pinhole.height) == (expected.width, expected.height)
    assert (pinhole.fx, pinhole.fy, pinhole.cx, pinhole.cy) == tuple(expected.params)
    positions = source_positions(camera, pinhole)
    ours = remap_bilinear(noise(), camera, positions).astype(int)
    theirs = bitmap.to_array().astype(int)
    # pycolmap shows black within half a pixel of the photo's border, we go on with its colour.
    inner = np.all((positions >= 1) & (positions <= np.reshape([63, 51], (2, 1, 1))), axis=0)
    assert inner.mean() > 0.85
    assert np.abs(ours - theirs)[inner].max() <= 1


@pytest.mark.parametrize("model", PERSPECTIVE)
def test_positions_agree_with_pycolmap_within_a_hundredth_of_a_pixel(model, camera_of):
    camera = camera_of(model)
    pinhole = pinhole_camera(camera, "here")
    own = pycolmap.Camera(
        model="PINHOLE",
        width=pinhole.width,
        height=pinhole.height,
        params=[pinhole.fx, pinhole.fy, pinhole.cx, pinhole.cy],
    )
    columns, rows = np.meshgrid(np.arange(pinhole.width), np.arange(pinhole.height))
    pixels = np.stack([columns.ravel() + 0.5, rows.ravel() + 0.5], axis=1)
    rays = np.column_stack([own.cam_from_img(pixels), np.ones(len(pixels))])
    expected = to_pycolmap(camera).img_from_cam(rays).T.reshape(2, pinhole.height, -1)
    positions = source_positions(camera, pinhole)
    valid = valid_pixels(positions)
    np.testing.assert_allclose(positions[:, valid], expected[:, valid], atol=0.01)
    outside = ~((expected > 0) & (expected < np.reshape([64, 52], (2, 1, 1)))).all(axis=0)
    assert not (valid & outside).any()


@pytest.mark.parametrize("model", PERSPECTIVE)
def test_no_pixel_stays_blank(model, camera_of):
    camera = camera_of(model)
    assert valid_pixels(source_positions(camera, pinhole_camera(camera, "here"))).all()


@pytest.mark.parametrize("model", DISTORTED)
def test_labels_lie_where_colors_lie(model, camera_of):
    camera = camera_of(model)
    positions = source_positions(camera, pinhole_camera(camera, "here"))
    ids = np.kron(np.arange(1, 17).reshape(4, 4), np.ones((13, 16))).astype(np.uint16)
    painted = np.repeat(ids[..., None] * 15, 3, axis=2).astype(np.uint8)
    colors = remap_bilinear(painted, camera, positions)[..., 0]
    labels = remap_nearest(ids, camera, positions)
    pure = np.isin(colors, ids * 15)
    # A blend of two ids may by chance be the colour of a third.
    assert (labels * 15 == colors)[pure].mean() > 0.98
    assert set(np.unique(labels)) <= set(range(1, 17))


@pytest.mark.parametrize("model", DISTORTED)
def test_ids_come_from_the_nearest_pixel_centre(model, camera_of):
    camera = camera_of(model)
    positions = source_positions(camera, pinhole_camera(camera, "here"))
    own_id = np.arange(WIDTH * HEIGHT, dtype=np.uint16).reshape(HEIGHT, WIDTH)
    rows, columns = np.divmod(remap_nearest(own_id, camera, positions), WIDTH)
    assert np.abs(columns + 0.5 - positions[0]).max() <= 0.5
    assert np.abs(rows + 0.5 - positions[1]).max() <= 0.5


def test_label_maps_of_another_size_are_sampled_at_the_same_places(camera_of):
    camera = camera_of("OPENCV")
    positions = source_positions(camera, pinhole_camera(camera, "here"))
    ids = np.random.default_rng(0).integers(0, 9, (HEIGHT, WIDTH), dtype=np.uint16)
    tripled = np.kron(ids, np.ones((3, 3), dtype=np.uint16))
    np.testing.assert_array_equal(
        remap_nearest(tripled, camera, positions), remap_nearest(ids, camera, positions)
    )


def test_without_distortion_nothing_moves():
    camera = ColmapCamera("OPENCV", WIDTH, HEIGHT, (70.0, 75.0, 31.0, 25.0, 0, 0, 0, 0))
    pinhole = pinhole_camera(camera, "here")
    assert pinhole == PinholeCamera(WIDTH, HEIGHT, 70.0, 75.0, 31.0, 25.0)
    np.testing.assert_array_equal(
        remap_bilinear(noise(), camera, source_positions(camera, pinhole)), noise()
    )


def test_what_the_photo_does_not_cover_is_black_unlabelled_and_invalid():
    camera = ColmapCamera("PINHOLE", WIDTH, HEIGHT, (70.0, 70.0, 32.0, 26.0))
    wider = PinholeCamera(84, 52, 70.0, 70.0, 42.0, 26.0)
    positions = source_positions(camera, wider)
    covered = np.zeros((52, 84), dtype=bool)
    covered[:, 10:74] = True
    np.testing.assert_array_equal(valid_pixels(positions), covered)
    white = np.full((HEIGHT, WIDTH, 3), 255, dtype=np.uint8)
    colors = remap_bilinear(white, camera, positions)
    np.testing.assert_array_equal(colors, np.repeat(255 * covered[..., None], 3, axis=2))
    ones = np.ones((HEIGHT, WIDTH), dtype=np.uint16)
    np.testing.assert_array_equal(remap_nearest(ones, camera, positions), covered)


@given(
    width=st.integers(1, 9),
    height=st.integers(1, 9),
    seed=st.integers(0, 1000),
    size=st.tuples(st.integers(1, 8), st.integers(1, 8)),
)
def test_bilinear_against_a_slow_reference(width, height, seed, size):
    rng = np.random.default_rng(seed)
    photo = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    camera = ColmapCamera("PINHOLE", width, height, (10.0, 10.0, width / 2, height / 2))
    positions = rng.uniform(0, 1, (2, size[1], size[0])).astype(np.float32)
    positions *= np.reshape([width, height], (2, 1, 1)).astype(np.float32)
    result = remap_bilinear(photo, camera, positions)
    for row in range(size[1]):
        for column in range(size[0]):
            x, y = positions[:, row, column].astype(float) - 0.5
            expected = np.zeros(3)
            for i in (int(np.floor(x)), int(np.floor(x)) + 1):
                for j in (int(np.floor(y)), int(np.floor(y)) + 1):
                    weight = (1 - abs(x - i)) * (1 - abs(y - j))
                    expected += weight * photo[np.clip(j, 0, height - 1), np.clip(i, 0, width - 1)]
            assert np.abs(result[row, column] - expected).max() <= 0.51


def test_a_panorama_is_refused():
    with pytest.raises(CgcError, match="cameras: camera 1 is a EQUIRECTANGULAR camera"):
        pinhole_camera(ColmapCamera("EQUIRECTANGULAR", 64, 32, (64.0, 32.0)), "cameras: camera 1")


@given(seed=st.integers(0, 10_000), model=st.sampled_from(PERSPECTIVE))
def test_a_wrong_calibration_gives_a_camera_or_a_sentence(seed, model):
    rng = np.random.default_rng(seed)
    count = len(pycolmap.Camera(model=model, width=8, height=8, params=[]).params_info.split(","))
    magnitude = 10.0 ** rng.uniform(-3, 6, count)
    params = rng.normal(size=count) * magnitude
    focal_lengths = 2 if "fx" in pycolmap.Camera(model=model).params_info else 1
    params[:focal_lengths] = np.abs(params[:focal_lengths]) + 1e-3
    camera = ColmapCamera(model, 40, 30, tuple(params.tolist()))
    try:
        pinhole = pinhole_camera(camera, "here")
    except CgcError as error:
        sentence = str(error)
    else:
        sentence = ""
        assert 1 <= pinhole.width <= 80
        assert 1 <= pinhole.height <= 60
    assert not sentence or "cannot be undone" in sentence
