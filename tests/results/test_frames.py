# SPDX-License-Identifier: GPL-3.0-or-later
"""Passes of a frame agree with the slow reference, in the world's units, with holdouts cut out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from cgc_addon.dataset.load import load_dataset
from cgc_addon.errors import Interrupted
from cgc_addon.rasterize import reference
from cgc_addon.results.cryptomatte import hash_numbers
from cgc_addon.results.frame_request import PASSES, FramePart, FrameRequest
from cgc_addon.results.frames import FAR, draw_frame
from cgc_addon.results.loaded_scenes import LoadedScene, LoadedScenes
from cgc_addon.results.scene_linear import linear_from_srgb
from cgc_addon.splats.gaussian_file import IndexedGaussians, write_gaussians
from cgc_addon.splats.select import subset
from cgc_addon.training.parameters import splat_of

from ..tiny_dataset import tiny_gaussians

SCALE = 2.5
CRYPTOMATTE = ("cryptomatte_0", "cryptomatte_1", "cryptomatte_2")


@pytest.fixture
def request_(tmp_path, tiny_dataset) -> FrameRequest:
    """Return a request for the tiny scene: a part for each segment, larger in the world."""
    gaussians, parts = tiny_gaussians(), []
    for segment in np.unique(gaussians.segments):
        index = np.flatnonzero(gaussians.segments == segment).astype(np.int32)
        path = tmp_path / f"{segment}.npz"
        write_gaussians(path, IndexedGaussians(subset(gaussians, index), index))
        parts.append(FramePart(path, np.eye(4), f"thing {segment}", int(segment)))
    to_world = np.diag([SCALE, SCALE, SCALE, 1.0])
    to_world[:3, 3] = (5.0, 6.0, 7.0)
    return FrameRequest(
        parts=tuple(parts),
        view=load_dataset(tiny_dataset).scene.views[0],
        passes=PASSES,
        output=tmp_path,
        to_world=to_world,
        to_scene=np.eye(3),
        background=(0.0, 0.0, 0.0),
        backend="cpu",
    )


@pytest.fixture
def expected(request_):
    """Return what the reference draws: rgb, alpha, depth and the weight of each segment."""
    gaussians = tiny_gaussians()
    one_hot = torch.eye(5)[torch.tensor(gaussians.segments, dtype=torch.long)]
    splat = splat_of(gaussians, torch.device("cpu"))
    return reference.render(splat, request_.view, sh_degree=0, features=one_hot, depth=True)


def scene_of(request: FrameRequest, backend) -> LoadedScene | None:
    return LoadedScenes().scene(request.parts, backend)


def draw(request: FrameRequest, backend) -> dict[str, np.ndarray]:
    return draw_frame(request, scene_of(request, backend), backend)


def test_colours_and_depth_are_the_references(request_, expected, backend) -> None:
    drawn = draw(request_, backend)
    assert set(drawn) == {"combined", "depth", "position", "index", *CRYPTOMATTE}
    np.testing.assert_allclose(
        drawn["combined"][..., :3], linear_from_srgb(expected.rgb), atol=1e-4
    )
    np.testing.assert_allclose(drawn["combined"][..., 3], 1.0, atol=1e-6)
    alpha = expected.alpha.numpy()
    seen = alpha > 0.501
    depth = SCALE * expected.depth.numpy()[seen] / alpha[seen]
    np.testing.assert_allclose(drawn["depth"][seen, 0], depth, rtol=1e-4)
    assert (drawn["depth"][alpha < 0.499] == np.float32(FAR)).all()


def test_positions_lie_on_the_rays_of_the_pixels(request_, backend) -> None:
    drawn = draw(request_, backend)
    seen = drawn["depth"][..., 0] < FAR
    assert seen.any()
    assert not drawn["position"][~seen].any()
    in_frame = (drawn["position"][seen] - request_.to_world[:3, 3]) / SCALE
    pose, camera = request_.view.world_to_camera, request_.view.camera
    x, y, z = (in_frame @ pose[:3, :3].T + pose[:3, 3]).T
    rows, columns = np.nonzero(seen)
    np.testing.assert_allclose(camera.fx * x / z + camera.cx, columns + 0.5, atol=1e-2)
    np.testing.assert_allclose(camera.fy * y / z + camera.cy, rows + 0.5, atol=1e-2)
    np.testing.assert_allclose(z * SCALE, drawn["depth"][seen, 0], rtol=1e-4)


def test_coverages_are_the_weights_of_things(request_, expected, backend) -> None:
    drawn = draw(request_, backend)
    pairs = np.concatenate([drawn[name] for name in CRYPTOMATTE], axis=2)
    hashes, coverages = pairs[..., 0::2], pairs[..., 1::2]
    for number in range(5):
        (name,) = hash_numbers([f"thing {number}"])
        found = (coverages * (hashes == name)).sum(axis=2)
        np.testing.assert_allclose(found, expected.features[..., number], atol=2e-5)


def test_numbers_are_of_the_part_or_of_its_segments(request_, backend) -> None:
    numbers = draw(request_, backend)["index"]
    own = replace(request_, parts=tuple(replace(part, index=None) for part in request_.parts))
    np.testing.assert_array_equal(draw(own, backend)["index"], numbers)
    higher = replace(
        request_, parts=tuple(replace(part, index=10**6 + part.index) for part in request_.parts)
    )
    found = draw(higher, backend)["index"]
    np.testing.assert_array_equal(found[numbers > 0], numbers[numbers > 0] + 10**6)


@pytest.mark.parametrize("background", [None, (1.0, 1.0, 1.0)])
def test_a_holdout_takes_its_share_of_light_and_alpha(
    request_, expected, backend, background
) -> None:
    parts = tuple(replace(part, holdout=part.index in (0, 3)) for part in request_.parts)
    drawn = draw(replace(request_, parts=parts, background=background), backend)
    cut = (expected.features[..., 0] + expected.features[..., 3]).numpy()
    assert cut.max() > 0.9
    alpha = expected.alpha.numpy() if background is None else 1.0
    np.testing.assert_allclose(drawn["combined"][..., 3], alpha - cut, atol=2e-5)
    assert drawn["combined"][cut > 0.999, :3].max(initial=0.0) < 1e-2
    assert not np.isin(drawn["index"], (3,)).any()


def test_colours_go_into_the_space_of_the_scene(request_, backend) -> None:
    plain = draw(request_, backend)["combined"]
    matrix = np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 2.0]])
    turned = draw(replace(request_, to_scene=matrix), backend)["combined"]
    np.testing.assert_allclose(turned[..., :3], plain[..., :3] @ matrix.T, atol=1e-6)
    # The ground is given in the scene's space, and comes back in it.
    color = (0.3, 0.2, 0.6)
    ground = replace(request_, to_scene=matrix, background=color, parts=())
    np.testing.assert_allclose(draw(ground, backend)["combined"][0, 0, :3], color, rtol=1e-5)


def test_an_empty_scene_has_empty_passes(request_, backend) -> None:
    drawn = draw(replace(request_, parts=(), background=None), backend)
    assert (drawn.pop("depth") == np.float32(FAR)).all()
    assert len(drawn) == 6
    assert not any(array.any() for array in drawn.values())


def test_it_stops_between_passes(request_, backend) -> None:
    answers = iter([False, True])
    with pytest.raises(Interrupted):
        draw_frame(
            request_, scene_of(request_, backend), backend, should_stop=lambda: next(answers)
        )
