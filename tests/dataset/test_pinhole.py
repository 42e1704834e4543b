# SPDX-License-Identifier: GPL-3.0-or-later
"""Our table of camera models says what pycolmap says; pinhole cameras are told from others."""

from __future__ import annotations

import numpy as np
import pycolmap
import pytest

from cgc_addon.dataset.colmap.camera_models import CAMERA_MODELS, CENTER, FOCAL_LENGTHS, MODEL_NAMES
from cgc_addon.dataset.colmap.records import ColmapCamera
from cgc_addon.dataset.pinhole import approximate_pinhole, is_pinhole
from cgc_addon.dataset.scene import PinholeCamera
from cgc_addon.dataset.undistort import to_pycolmap
from cgc_addon.errors import CgcError

KNOWN = sorted(set(pycolmap.CameraModelId.__members__) - {"INVALID"})
SEEING = sorted(set(KNOWN) - {"EQUIRECTANGULAR"})


@pytest.fixture
def camera_of(camera_examples):
    return lambda model: ColmapCamera(model, 64, 52, tuple(camera_examples[model]))


def without_distortion(camera: ColmapCamera) -> ColmapCamera:
    params = [
        0.0 if name in camera.kind.distortion else value
        for name, value in zip(camera.kind.parameters, camera.params, strict=True)
    ]
    return ColmapCamera(camera.model, camera.width, camera.height, tuple(params))


def test_the_table_has_exactly_the_models_of_pycolmap():
    assert sorted(CAMERA_MODELS) == KNOWN
    assert all(CAMERA_MODELS[name].name == name for name in KNOWN)
    numbers = {name: int(pycolmap.CameraModelId.__members__[name]) for name in KNOWN}
    assert {name: model.number for name, model in CAMERA_MODELS.items()} == numbers
    assert {number: name for name, number in numbers.items()} == MODEL_NAMES


@pytest.mark.parametrize("name", KNOWN)
def test_parameters_are_those_of_pycolmap(name, camera_of):
    model, theirs = CAMERA_MODELS[name], to_pycolmap(camera_of(name))
    assert list(model.parameters) == [part.strip() for part in theirs.params_info.split(",")]

    def places(wanted) -> list[int]:
        return [index for index, item in enumerate(model.parameters) if item in wanted]

    assert places(FOCAL_LENGTHS) == list(theirs.focal_length_idxs())
    assert places(CENTER) == list(theirs.principal_point_idxs())
    assert places({*model.distortion, "beta"}) == list(theirs.extra_params_idxs())
    assert model.is_panorama == theirs.is_spherical()
    assert (not model.fisheye and not model.is_panorama) == theirs.is_perspective_pinhole()


@pytest.mark.parametrize("name", SEEING)
def test_focal_lengths_and_centre_are_those_of_pycolmap(name, camera_of):
    camera = camera_of(name)
    theirs = to_pycolmap(camera)
    assert camera.focal_lengths == (theirs.focal_length_x, theirs.focal_length_y)
    assert approximate_pinhole(camera) == PinholeCamera(
        *(64, 52, theirs.focal_length_x, theirs.focal_length_y),
        *(theirs.principal_point_x, theirs.principal_point_y),
    )


@pytest.mark.parametrize("name", KNOWN)
@pytest.mark.parametrize("size", [(32, 26), (640, 520), (77, 60)])
def test_a_camera_is_resized_as_pycolmap_does_it(name, size, camera_of):
    camera = camera_of(name)
    expected = to_pycolmap(camera)
    expected.rescale(new_width=size[0], new_height=size[1])
    resized = camera.resized(*size)
    assert (resized.model, resized.width, resized.height) == (name, *size)
    np.testing.assert_allclose(resized.params, expected.params, rtol=1e-15)


@pytest.mark.parametrize("name", KNOWN)
def test_with_distortion_only_pinhole_cameras_are_pinhole_cameras(name, camera_of):
    assert is_pinhole(camera_of(name)) == (name in ("PINHOLE", "SIMPLE_PINHOLE"))


@pytest.mark.parametrize("name", KNOWN)
def test_without_distortion_perspective_cameras_are_pinhole_cameras(name, camera_of):
    camera = without_distortion(camera_of(name))
    assert is_pinhole(camera) == to_pycolmap(camera).is_perspective_pinhole()
    if not is_pinhole(camera):
        return
    rays = np.random.default_rng(0).normal(size=(50, 3)) * 0.2 + (0.0, 0.0, 1.0)
    seen = rays @ approximate_pinhole(camera).matrix().T
    expected = to_pycolmap(camera).img_from_cam(rays)
    np.testing.assert_allclose(seen[:, :2] / seen[:, 2:], expected, atol=1e-9)


def test_distortion_as_small_as_colmap_ignores_is_none():
    def camera(k: float) -> ColmapCamera:
        return ColmapCamera("SIMPLE_RADIAL", 64, 52, (70.0, 31.0, 25.0, k))

    assert is_pinhole(camera(5e-9))
    assert not is_pinhole(camera(-2e-8))


def test_a_panorama_is_no_pinhole_camera():
    panorama = ColmapCamera("EQUIRECTANGULAR", 64, 32, (64.0, 32.0))
    assert not is_pinhole(panorama)
    with pytest.raises(CgcError, match="EQUIRECTANGULAR camera takes panoramas"):
        approximate_pinhole(panorama)
