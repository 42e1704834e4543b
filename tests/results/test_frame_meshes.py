# SPDX-License-Identifier: GPL-3.0-or-later
"""Every pass of a frame knows of its meshes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from cgc_addon.dataset.scene import PinholeCamera, View
from cgc_addon.errors import CgcError
from cgc_addon.rasterize.interface import SplatTensors
from cgc_addon.results.cryptomatte import hash_numbers
from cgc_addon.results.exr import read_exr
from cgc_addon.results.frame_request import (
    COMBINED,
    CRYPTOMATTE,
    DEPTH,
    INDEX,
    POSITION,
    FramePart,
    FrameRequest,
    read_frame_request,
    write_frame_request,
)
from cgc_addon.results.frames import draw_frame
from cgc_addon.results.loaded_scenes import LoadedScene
from cgc_addon.results.mesh_layer import NO_DEPTH, MeshFile

from .written_exr import write_exr

SIZE = HEIGHT, WIDTH = 4, 6
MESH = slice(0, 3)
"""Columns that show a mesh."""
SCALE = 2.0
"""Units of the world in one of the frame that is drawn in."""
MESH_DEPTH, MESH_COLOR = 8.0, (0.1, 0.6, 0.2)
NEAR_ALPHA, FAR_ALPHA = 0.3, 0.9
"""Of a sheet before and one behind the mesh, at 2 and 6, which are 4 and 12 in the world."""


@pytest.fixture
def request_(tmp_path: Path) -> FrameRequest:
    """Ask for two sheets, "near" and "far", and a mesh between them in the left half."""
    alpha = np.zeros(SIZE, np.float32)
    alpha[:, MESH] = 1.0
    channels = {
        f"Layer.Combined.{name}": np.float32(value) * alpha
        for name, value in zip("RGBA", (*MESH_COLOR, 1.0), strict=True)
    }
    depth = np.where(alpha > 0, np.float32(MESH_DEPTH), NO_DEPTH)
    write_exr(tmp_path / "meshes.exr", {**channels, "Layer.Depth.Z": depth})
    camera = PinholeCamera(WIDTH, HEIGHT, 10.0, 10.0, WIDTH / 2, HEIGHT / 2)
    return FrameRequest(
        parts=(
            FramePart(tmp_path / "near", np.eye(4), "near", 7),
            FramePart(tmp_path / "far", np.eye(4), "far", 9),
        ),
        view=View("frame.png", camera, np.eye(4)),
        passes=(COMBINED, DEPTH, POSITION, INDEX, CRYPTOMATTE),
        output=tmp_path,
        to_world=np.diag([SCALE, SCALE, SCALE, 1.0]),
        to_scene=np.eye(3),
        background=None,
        ranks=2,
        meshes=MeshFile(tmp_path / "meshes.exr", "Layer", 100.0, (0, 0)),
    )


@pytest.fixture
def scene() -> LoadedScene:
    splat = SplatTensors(
        means=torch.tensor([[0.0, 0.0, 2.0], [0.0, 0.0, 6.0]]),
        quats=torch.tensor([[1.0, 0.0, 0.0, 0.0]]).repeat(2, 1),
        scales=torch.tensor([[1e4, 1e4, 1e-3]]).repeat(2, 1),
        opacities=torch.tensor([NEAR_ALPHA, FAR_ALPHA]),
        sh0=torch.tensor([[[1.0, 0.0, -1.0]], [[-1.0, 0.5, 1.5]]]),
        shN=torch.zeros(2, 3, 3),
    )
    part = np.array([0, 1], np.int32)
    return LoadedScene(splat, 1, part, np.zeros(2, np.int32))


def test_all_passes_show_meshes_between_splats(backend, request_, scene):
    drawn = draw_frame(request_, scene, backend)
    plain = draw_frame(replace(request_, meshes=None), scene, backend)
    combined = drawn[COMBINED]
    assert (combined[:, 3:] == plain[COMBINED][:, 3:]).all()
    front = (1 - NEAR_ALPHA) * np.array([*MESH_COLOR, 1.0])
    near_alone = replace(scene.splat, opacities=torch.tensor([NEAR_ALPHA, 0.0]))
    near = draw_frame(
        replace(request_, meshes=None, passes=(COMBINED,)),
        replace(scene, splat=near_alone),
        backend,
    )[COMBINED]
    np.testing.assert_allclose(combined[:, MESH], near[:, MESH] + front, atol=1e-5)

    assert (drawn[DEPTH][:, MESH] == MESH_DEPTH).all()
    assert (drawn[DEPTH][:, 3:] == plain[DEPTH][:, 3:]).all()
    np.testing.assert_allclose(drawn[POSITION][:, MESH, 2], MESH_DEPTH, rtol=1e-6)
    assert (drawn[INDEX][:, MESH] == 0).all()
    assert (drawn[INDEX][:, 3:] == 9).all()

    near_hash, far_hash = hash_numbers(["near", "far"])
    crypto = drawn[f"{CRYPTOMATTE}_0"]
    rest = (1 - NEAR_ALPHA) * FAR_ALPHA
    expected = np.empty((*SIZE, 4))
    expected[:, MESH] = [near_hash, NEAR_ALPHA, 0.0, 0.0]
    expected[:, 3:] = [far_hash, rest, near_hash, NEAR_ALPHA]
    np.testing.assert_allclose(crypto, expected, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("name", ["IndexOB", "Object Index"])
def test_ids_that_the_meshes_bring_are_among_those_of_splats(backend, request_, scene, name):
    path = request_.meshes.path
    channels = read_exr(path)
    alpha = channels["Layer.Combined.A"]
    box, ring = hash_numbers(["box", "ring"])
    listed = {"r": box * alpha, "g": 0.75 * alpha, "b": ring * alpha, "a": 0.25 * alpha}
    channels |= {f"Layer.CryptoObject00.{key}": values for key, values in listed.items()}
    channels |= {f"Other.CryptoObject00.{key}": values + 1 for key, values in listed.items()}
    write_exr(path, {**channels, f"Layer.{name}.X": 5 * alpha, f"Other.{name}.X": alpha})
    drawn = draw_frame(replace(request_, ranks=4), scene, backend)
    assert (drawn[INDEX][:, MESH] == 5).all()
    assert (drawn[INDEX][:, 3:] == 9).all()
    near, far = hash_numbers(["near", "far"])
    shares = np.array([0.75, 0.25]) * (1 - NEAR_ALPHA)
    pixel = drawn[f"{CRYPTOMATTE}_0"][0, 0]
    np.testing.assert_allclose(pixel, [box, shares[0], near, NEAR_ALPHA], rtol=1e-4)
    pixel = drawn[f"{CRYPTOMATTE}_1"][0, 0]
    np.testing.assert_allclose(pixel, [ring, shares[1], 0, 0], rtol=1e-4)
    pixel = drawn[f"{CRYPTOMATTE}_0"][0, -1]
    np.testing.assert_allclose(pixel[[0, 2]], [far, near], rtol=1e-4)
    alone = draw_frame(replace(request_, parts=()), None, backend)
    np.testing.assert_allclose(alone[f"{CRYPTOMATTE}_0"][0, 0], [box, 0.75, ring, 0.25])
    assert (alone[INDEX][:, MESH] == 5).all()


def test_one_pass_alone_is_the_same_as_with_others(backend, request_, scene):
    together = draw_frame(request_, scene, backend)
    for name in request_.passes:
        for key, values in draw_frame(replace(request_, passes=(name,)), scene, backend).items():
            assert (values == together[key]).all(), key


def test_a_world_is_hidden_by_meshes_as_splats_are(backend, request_, scene):
    drawn = draw_frame(replace(request_, background=(0.2, 0.3, 0.4)), scene, backend)[COMBINED]
    without_world = draw_frame(request_, scene, backend)[COMBINED]
    np.testing.assert_allclose(drawn[:, MESH], without_world[:, MESH], atol=1e-6)
    np.testing.assert_allclose(drawn[..., 3], 1.0, atol=1e-6)


def test_a_holdout_before_a_mesh_cuts_it_and_one_behind_does_not(backend, request_, scene):
    near, far = request_.parts
    before = replace(request_, parts=(replace(near, holdout=True), far))
    drawn = draw_frame(before, scene, backend)[COMBINED]
    expected = (1 - NEAR_ALPHA) * np.array([*MESH_COLOR, 1.0])
    np.testing.assert_allclose(drawn[:, MESH], np.broadcast_to(expected, (HEIGHT, 3, 4)), atol=1e-5)
    behind = replace(request_, parts=(near, replace(far, holdout=True)))
    drawn = draw_frame(behind, scene, backend)[COMBINED]
    whole = draw_frame(request_, scene, backend)[COMBINED]
    np.testing.assert_allclose(drawn[:, MESH], whole[:, MESH], atol=1e-5)
    np.testing.assert_allclose(drawn[:, 3:, 3], NEAR_ALPHA, atol=1e-5)


def test_colours_of_meshes_are_the_scenes_already(backend, request_, scene):
    to_scene = np.array([[0.5, 0.3, 0.2], [0.1, 0.8, 0.1], [0.0, 0.2, 0.8]])
    wide = draw_frame(replace(request_, to_scene=to_scene), scene, backend)[COMBINED]
    usual = draw_frame(request_, scene, backend)[COMBINED]
    mesh = (1 - NEAR_ALPHA) * np.array(MESH_COLOR)
    expected = (usual[:, MESH, :3] - mesh) @ to_scene.T + mesh
    np.testing.assert_allclose(wide[:, MESH, :3], expected, atol=1e-5)


def test_meshes_without_splats_are_the_picture(backend, request_):
    drawn = draw_frame(replace(request_, parts=()), None, backend)
    assert (drawn[COMBINED][:, MESH] == np.array([*MESH_COLOR, 1.0], np.float32)).all()
    assert (drawn[COMBINED][:, 3:] == 0).all()
    assert (drawn[DEPTH][:, MESH] == MESH_DEPTH).all()
    assert (drawn[DEPTH][:, 3:] == NO_DEPTH).all()


def test_requests_keep_their_meshes(request_, tmp_path):
    meshes = replace(request_.meshes, corner=(3, 1), clip_end=12.5)
    write_frame_request(tmp_path / "request.json", replace(request_, meshes=meshes))
    assert read_frame_request(tmp_path / "request.json").meshes == meshes
    write_frame_request(tmp_path / "request.json", replace(request_, meshes=None))
    assert read_frame_request(tmp_path / "request.json").meshes is None


def test_a_picture_of_meshes_that_does_not_fit_is_refused(backend, request_, scene):
    outside = replace(request_, meshes=replace(request_.meshes, corner=(1, 0)))
    with pytest.raises(CgcError, match=r"meshes\.exr, ends before"):
        draw_frame(outside, scene, backend)
