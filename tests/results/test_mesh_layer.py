# SPDX-License-Identifier: GPL-3.0-or-later
"""Splats and meshes hide each other by depth, pixel by pixel, as light would have it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
import torch

from cgc_addon.dataset.scene import PinholeCamera, View
from cgc_addon.errors import CgcError
from cgc_addon.rasterize.cpu import CpuBackend
from cgc_addon.rasterize.interface import SplatTensors
from cgc_addon.results.mesh_layer import (
    NO_DEPTH,
    MeshFile,
    MeshLayer,
    compose,
    depth_limits,
    read_mesh_layer,
)

from .written_exr import write_exr

RED, BLUE, GREEN = (0.8, 0.1, 0.1), (0.1, 0.2, 0.9), (0.05, 0.7, 0.05)
NEAR, FAR = 2.0, 6.0


@pytest.fixture(scope="module")
def backend() -> CpuBackend:
    return CpuBackend()


@dataclass(frozen=True)
class Sheet:
    """A Gaussian so wide that it covers the whole picture evenly."""

    depth: float
    color: tuple[float, float, float]
    alpha: float


def _draw(backend: CpuBackend, layer: MeshLayer, *sheets: Sheet) -> np.ndarray:
    """Return what sheets look like around a layer, on a transparent film."""
    height, width = layer.depth.shape
    count = len(sheets)
    colors = torch.tensor([sheet.color for sheet in sheets]).reshape(count, 1, 3)
    splat = SplatTensors(
        means=torch.tensor([[0.0, 0.0, sheet.depth] for sheet in sheets]).reshape(count, 3),
        quats=torch.tensor([[1.0, 0.0, 0.0, 0.0]]).repeat(count, 1),
        scales=torch.tensor([[1e4, 1e4, 1e-3]]).repeat(count, 1),
        opacities=torch.tensor([sheet.alpha for sheet in sheets]),
        sh0=(colors - 0.5) / 0.28209479177387814,
        shN=torch.zeros(count, 0, 3),
    )
    view = View("view", PinholeCamera(width, height, 10.0, 10.0, width / 2, height / 2), np.eye(4))
    whole = backend.render(splat, view)
    split = backend.render_split(splat, view, torch.from_numpy(depth_limits(layer)))
    plain = _premultiplied(whole.rgb.numpy(), whole.alpha.numpy())
    coverage = split.front_alpha.numpy()
    return compose(layer, plain, _premultiplied(split.front_rgb.numpy(), coverage), coverage)


def _premultiplied(rgb: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    straight = rgb / np.maximum(alpha, 1e-12)[..., None]
    linear = np.vectorize(lambda c: c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4)
    return np.dstack([linear(straight) * alpha[..., None], alpha]).astype(np.float32)


def _layer(color=GREEN, alpha=1.0, depth=4.0, size=(3, 5)) -> MeshLayer:
    rgba = np.empty((*size, 4), np.float32)
    rgba[...] = [*(alpha * np.array(color)), alpha]
    return MeshLayer(rgba, np.full(size, depth if alpha else NO_DEPTH, np.float32))


def _decoded(color) -> np.ndarray:
    """Return a colour scene-linear by the formula of IEC 61966-2-1, number by number."""
    return np.array([c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in color])


def _over(*layers: tuple[np.ndarray, float]) -> np.ndarray:
    """Return layers of straight colour and alpha, first to last from front to back, blended."""
    result, light = np.zeros(4), 1.0
    for color, alpha in layers:
        result += light * alpha * np.array([*color, 1.0])
        light *= 1.0 - alpha
    return result


@pytest.mark.parametrize("alpha", [0.3, 0.9])
def test_a_mesh_before_a_splat_hides_it(backend, alpha):
    drawn = _draw(backend, _layer(), Sheet(FAR, RED, alpha))
    np.testing.assert_allclose(drawn, np.broadcast_to([*GREEN, 1.0], drawn.shape), atol=1e-5)


@pytest.mark.parametrize("alpha", [0.3, 0.9])
def test_a_splat_before_a_mesh_covers_it(backend, alpha):
    drawn = _draw(backend, _layer(), Sheet(NEAR, RED, alpha))
    expected = _over((_decoded(RED), alpha), (np.array(GREEN), 1.0))
    np.testing.assert_allclose(drawn, np.broadcast_to(expected, drawn.shape), atol=1e-4)


def test_a_mesh_between_splats_is_covered_by_one_and_hides_the_other(backend):
    drawn = _draw(backend, _layer(), Sheet(NEAR, RED, 0.4), Sheet(FAR, BLUE, 0.9))
    expected = _over((_decoded(RED), 0.4), (np.array(GREEN), 1.0))
    np.testing.assert_allclose(drawn, np.broadcast_to(expected, drawn.shape), atol=1e-4)


@pytest.mark.parametrize("covered", [0.25, 0.5, 0.75])
def test_a_pixel_half_covered_is_half_each(backend, covered):
    sheets = Sheet(NEAR, RED, 0.4), Sheet(FAR, BLUE, 0.9)
    drawn = _draw(backend, _layer(alpha=covered), *sheets)
    with_mesh = _draw(backend, _layer(), *sheets)
    without = _draw(backend, _layer(alpha=0.0), *sheets)
    np.testing.assert_allclose(drawn, covered * with_mesh + (1 - covered) * without, atol=1e-5)


@pytest.mark.parametrize("alpha", [0.3, 0.9])
def test_a_translucent_mesh_before_a_splat_is_an_over(backend, alpha):
    drawn = _draw(backend, _layer(alpha=0.5), Sheet(FAR, RED, alpha))
    expected = _over((np.array(GREEN), 0.5), (_decoded(RED), alpha))
    np.testing.assert_allclose(drawn, np.broadcast_to(expected, drawn.shape), atol=1e-4)


def test_where_no_mesh_is_the_picture_keeps_every_bit(backend):
    layer = _layer()
    layer.rgba[:, 2:] = 0.0
    layer.depth[:, 2:] = NO_DEPTH
    sheets = Sheet(NEAR, RED, 0.4), Sheet(FAR, BLUE, 0.9)
    with_mesh, without = (_draw(backend, one, *sheets) for one in (layer, _layer(alpha=0.0)))
    assert (with_mesh[:, 2:] == without[:, 2:]).all()
    assert (abs(with_mesh[:, :2] - without[:, :2]) > 0.1).any()


def test_where_no_splat_is_the_meshes_keep_every_bit(backend):
    layer = _layer(alpha=0.7)
    assert (_draw(backend, layer) == layer.rgba).all()


def test_light_without_alpha_shines_through(backend):
    """A flame adds light and covers nothing."""
    layer = _layer(alpha=0.0)
    layer.rgba[..., :3] = GREEN
    drawn = _draw(backend, layer, Sheet(NEAR, RED, 0.4))
    expected = _over((_decoded(RED), 0.4)) + 0.6 * np.array([*GREEN, 0.0])
    np.testing.assert_allclose(drawn, np.broadcast_to(expected, drawn.shape), atol=1e-4)


def test_over_an_opaque_world_alpha_stays_one():
    random = np.random.default_rng(0)
    plain = random.uniform(size=(8, 9, 4)).astype(np.float32)
    plain[..., 3] = 1.0
    front = random.uniform(size=(8, 9, 4)).astype(np.float32)
    front[..., :3] *= front[..., 3:]
    alpha = random.uniform(size=(8, 9, 1)).astype(np.float32)
    layer = MeshLayer(np.dstack([alpha * 0.5, alpha * 0.2, alpha, alpha]), np.ones((8, 9), "f4"))
    composed = compose(layer, plain, front, front[..., 3])
    np.testing.assert_allclose(composed[..., 3], 1.0, atol=1e-6)


def test_what_a_holdout_covers_is_neither_mesh_nor_splat():
    """Half of the light ends at a holdout before the mesh; nothing else is there."""
    empty = np.zeros((3, 5, 4), np.float32)
    composed = compose(_layer(), empty, empty, np.full((3, 5), 0.5, np.float32))
    expected = 0.5 * np.array([*GREEN, 1.0])
    np.testing.assert_allclose(composed, np.broadcast_to(expected, composed.shape), atol=1e-6)


def test_an_edge_without_a_depth_has_the_nearest_around_it():
    depth = np.full((5, 6), NO_DEPTH, np.float32)
    depth[:, :2] = 4.0
    depth[2, 1] = 3.0
    alpha = np.zeros((5, 6), np.float32)
    alpha[:, :3] = 1.0
    alpha[:, 2] = 0.5  # smoothed: a part of the mesh, and no depth
    alpha[0, 5] = 0.2  # far from every mesh
    rgba = np.dstack([alpha] * 4)
    limits = depth_limits(MeshLayer(rgba, depth))
    assert limits[:, 2].tolist() == [4.0, 3.0, 3.0, 3.0, 4.0]
    assert limits[2, :2].tolist() == [4.0, 3.0]  # a depth of its own stays
    assert np.isinf(limits[:, 3:]).all()


def test_what_is_no_mesh_has_no_limit_though_something_is_behind():
    layer = _layer(alpha=0.5)
    layer.rgba[0] = 0.0
    limits = depth_limits(layer)
    assert np.isinf(limits[0]).all()
    assert (limits[1:] == 4.0).all()


def test_pictures_of_other_sizes_are_refused():
    with pytest.raises(CgcError, match=r"shape \(4, 5, 4\).*shape \(4, 6\)"):
        MeshLayer(np.zeros((4, 5, 4), np.float32), np.zeros((4, 6), np.float32))
    with pytest.raises(CgcError, match="alpha"):
        MeshLayer(np.zeros((4, 5, 3), np.float32), np.zeros((4, 5), np.float32))


def test_a_layer_of_a_file_is_read_where_the_picture_begins(tmp_path):
    random = np.random.default_rng(0)
    names = [f"Props.Combined.{c}" for c in "RGBA"]
    channels = {name: random.uniform(size=(6, 9)).astype(np.float32) for name in names}
    depth = np.full((6, 9), 3.0, np.float32)
    depth[2, 4], depth[2, 5] = NO_DEPTH, 99.5  # of nothing: of Cycles, and of a clipping at 100
    path = tmp_path / "meshes.exr"
    write_exr(path, {**channels, "Props.Depth.Z": depth, "Other.Depth.Z": 0 * depth})
    layer = read_mesh_layer(MeshFile(path, "Props", 100.0, (3, 1)), 5, 4)
    for channel, name in enumerate(names):
        assert (layer.rgba[..., channel] == channels[name][1:5, 3:8]).all()
    assert (layer.depth == NO_DEPTH).nonzero() == (pytest.approx([1, 1]), pytest.approx([1, 2]))
    assert (layer.depth[layer.depth != NO_DEPTH] == 3.0).all()

    with pytest.raises(CgcError, match=r"lacks the channel Stage\.Combined\.R"):
        read_mesh_layer(MeshFile(path, "Stage", 100.0, (0, 0)), 5, 4)
    with pytest.raises(CgcError, match="7×4 pixels from 3, 1"):
        read_mesh_layer(MeshFile(path, "Props", 100.0, (3, 1)), 7, 4)
