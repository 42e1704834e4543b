# SPDX-License-Identifier: GPL-3.0-or-later
"""The reference renderer obeys the rules of gsplat 1.5 and of `interface`, word by word."""

from __future__ import annotations

import math
from dataclasses import fields, replace

import numpy as np
import pytest
import torch
from gsplat.cuda import _torch_impl as gsplat
from hypothesis import given, settings
from hypothesis import strategies as st

from cgc_addon.dataset.scene import PinholeCamera, View
from cgc_addon.rasterize import reference
from cgc_addon.rasterize.interface import (
    ALPHA_LIMIT,
    ALPHA_MINIMUM,
    TRANSMITTANCE_MINIMUM,
    SplatTensors,
)

CAMERAS = st.builds(
    PinholeCamera,
    width=st.integers(1, 90),
    height=st.integers(1, 90),
    fx=st.floats(5, 200),
    fy=st.floats(5, 200),
    cx=st.floats(-40, 140),
    cy=st.floats(-40, 140),
)
SEEDS = st.integers(0, 2**32 - 1)


def _stack(
    opacities: list[float], colors: list[float] | None = None, scale: float = 1.0
) -> SplatTensors:
    """Put flat grey Gaussians one behind the other on the axis of the identity camera."""
    count = len(opacities)
    depths = torch.arange(2.0, 2.0 + count, dtype=torch.float64)
    grey = torch.tensor(colors or [1.0] * count, dtype=torch.float64)
    return SplatTensors(
        means=torch.stack([depths * 0, depths * 0, depths], dim=-1),
        quats=torch.tensor([[1.0, 0, 0, 0]] * count, dtype=torch.float64),
        scales=torch.full((count, 3), scale, dtype=torch.float64),
        opacities=torch.tensor(opacities, dtype=torch.float64),
        sh0=((grey - 0.5) / math.sqrt(1 / (4 * math.pi)))[:, None, None].repeat(1, 1, 3),
        shN=torch.zeros(count, 0, 3, dtype=torch.float64),
    )


@pytest.fixture(scope="module")
def pinhole() -> View:
    """One pixel whose centre is the optical axis."""
    return View("pixel.png", PinholeCamera(1, 1, 10.0, 10.0, 0.5, 0.5), np.eye(4))


@settings(max_examples=40, deadline=None)
@given(camera=CAMERAS, seed=SEEDS)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_projection_is_that_of_gsplat(make_splat, make_view, camera, seed, dtype):
    tolerance = 1e-9 if dtype == torch.float64 else 2e-3
    splat = make_splat(40, seed, dtype=dtype)
    splat = replace(splat, opacities=torch.ones_like(splat.opacities))
    view = replace(make_view(seed=seed, distance=0.8), camera=camera)
    projection = reference.project(splat, view)

    covariances, _ = gsplat._quat_scale_to_covar_preci(
        splat.quats, splat.scales, compute_preci=False
    )
    pose = torch.as_tensor(view.world_to_camera).to(dtype)[None]
    intrinsics = torch.as_tensor(camera.matrix()).to(dtype)[None]
    radii, means2d, depths, conics, _ = (
        result[0] if result is not None else None
        for result in gsplat._fully_fused_projection(
            splat.means, covariances, pose, intrinsics, camera.width, camera.height
        )
    )
    torch.testing.assert_close(projection.depths, depths, rtol=tolerance, atol=1e-6)
    front = depths > 0.01
    torch.testing.assert_close(
        projection.means2d[front], means2d[front], rtol=tolerance, atol=tolerance
    )
    # Single precision cancels where a covariance is long and thin.
    size = conics.abs().amax(dim=-1, keepdim=True)
    torch.testing.assert_close(
        (projection.conics / size)[front], (conics / size)[front], rtol=0, atol=tolerance
    )
    # gsplat's plain-torch version rounds √(2 ln 255) up to 3.33 before it takes the ceiling.
    difference = (radii - projection.radii)[front]
    both = ((radii > 0).all(-1) & (projection.radii > 0).all(-1))[front]
    assert ((difference[both] >= 0) & (difference[both] <= 1 + 3e-4 * radii[front][both])).all()
    only_theirs = (radii > 0).all(-1) & ~(projection.radii > 0).all(-1) & front
    edge_x = torch.minimum(means2d[:, 0] + radii[:, 0], camera.width - means2d[:, 0] + radii[:, 0])
    edge_y = torch.minimum(means2d[:, 1] + radii[:, 1], camera.height - means2d[:, 1] + radii[:, 1])
    assert (torch.minimum(edge_x, edge_y)[only_theirs] <= 1 + 3e-4 * radii.max()).all()
    assert not ((projection.radii > 0).all(-1) & ~(radii > 0).all(-1)).any()


@settings(max_examples=20, deadline=None)
@given(seed=SEEDS, degree=st.integers(0, 3), stored=st.integers(0, 3))
def test_colours_are_those_of_gsplat(make_splat, make_view, seed, degree, stored):
    splat, view = make_splat(20, seed, degree=stored), make_view(seed=seed)
    directions = splat.means - torch.as_tensor(np.linalg.inv(view.world_to_camera)[:3, 3])
    coefficients = torch.cat([splat.sh0, splat.shN], dim=1)
    expected = gsplat._spherical_harmonics(min(degree, stored), directions, coefficients)
    actual = reference.colors_toward(splat, view, degree)
    torch.testing.assert_close(actual, (expected + 0.5).clamp(min=0), rtol=1e-9, atol=1e-9)


def test_blending_is_the_loop_of_the_paper(make_splat, make_view):
    splat = make_splat(60, 3)
    splat = replace(splat, scales=3 * splat.scales)  # so that rays end
    view = make_view(13, 9, 3, focal=(1.3, 0.9), center=(0.2, 0.8))
    features = torch.as_tensor(np.random.default_rng(0).normal(size=(60, 2)))
    background = torch.tensor([0.2, 0.4, 0.6], dtype=torch.float64)
    result = reference.render(splat, view, features=features, background=background, depth=True)

    projection = reference.project(splat, view)
    colors = reference.colors_toward(splat, view)
    values = torch.cat([colors, features, projection.depths[:, None]], dim=1).numpy()
    means, conics = projection.means2d.numpy(), projection.conics.numpy()
    order = np.argsort(projection.depths.numpy())
    order = order[projection.depths.numpy()[order] >= 0.01]
    stopped = 0
    for row in range(9):
        for column in range(13):
            transmittance, total = 1.0, np.zeros(6)
            for g in order:
                dx, dy = column + 0.5 - means[g, 0], row + 0.5 - means[g, 1]
                a, b, c = conics[g]
                sigma = 0.5 * (a * dx * dx + c * dy * dy) + b * dx * dy
                alpha = min(ALPHA_LIMIT, splat.opacities[g].item() * math.exp(-sigma))
                if alpha < ALPHA_MINIMUM:
                    continue
                if transmittance * (1 - alpha) < TRANSMITTANCE_MINIMUM:
                    stopped += 1
                    break
                total += alpha * transmittance * values[g]
                transmittance *= 1 - alpha
            pixel = row, column
            np.testing.assert_allclose(
                result.rgb[pixel], total[:3] + transmittance * background.numpy(), atol=1e-12
            )
            np.testing.assert_allclose(result.features[pixel], total[3:5], atol=1e-12)
            np.testing.assert_allclose(result.depth[pixel], total[5], atol=1e-12)
            np.testing.assert_allclose(result.alpha[pixel], 1 - transmittance, atol=1e-12)
    assert stopped > 3  # the scene reaches the end of a ray


def test_gradients_are_finite_differences(make_splat, make_view):
    splat, view = make_splat(4, 1), make_view(6, 4, 1, focal=(1.0, 1.4), center=(0.6, 0.4))
    splat = replace(splat, opacities=splat.opacities * 0.7 + 0.2)
    features = torch.as_tensor(np.random.default_rng(1).normal(size=(4, 2)))
    leaves = [getattr(splat, field.name) for field in fields(splat)] + [features]

    def draw(*tensors: torch.Tensor) -> tuple[torch.Tensor, ...]:
        result = reference.render(
            SplatTensors(*tensors[:-1]), view, features=tensors[-1], depth=True
        )
        return result.rgb, result.alpha, result.features, result.depth

    leaves = [leaf.clone().requires_grad_() for leaf in leaves]
    assert torch.autograd.gradcheck(draw, leaves, eps=1e-6, atol=1e-5, rtol=1e-4)


@settings(max_examples=15, deadline=None)
@given(camera=CAMERAS, seed=SEEDS, tile_size=st.sampled_from([4, 16, 30]))
def test_tiles_change_nothing(make_splat, make_view, camera, seed, tile_size):
    splat = make_splat(50, seed)
    view = replace(make_view(seed=seed, distance=1.5), camera=camera)
    features = splat.means * 3
    whole = reference.render(splat, view, features=features, depth=True)
    tiled = reference.render(splat, view, features=features, depth=True, tile_size=tile_size)
    for name in ("rgb", "alpha", "features", "depth"):
        torch.testing.assert_close(getattr(tiled, name), getattr(whole, name), rtol=0, atol=1e-12)


def test_alpha_is_capped(pinhole):
    result = reference.render(_stack([1.0]), pinhole)
    assert result.alpha.item() == pytest.approx(ALPHA_LIMIT, abs=1e-12)


def test_a_ray_ends_before_the_gaussian_that_would_darken_it(pinhole):
    # Transmittance 1 → 0.1 → 0.01 → 0.001 → 0.00005: the fourth is not blended, nor what follows.
    splat = _stack([0.9, 0.9, 0.9, 0.95, 0.5], [0.0, 0.0, 0.0, 1.0, 1.0], scale=1e3)
    result = reference.render(splat, pinhole)
    assert result.alpha.item() == pytest.approx(0.999, abs=1e-6)
    assert result.rgb.abs().max().item() < 1e-12


def test_faint_gaussians_are_not_drawn(pinhole):
    assert reference.render(_stack([0.0038], scale=1e3), pinhole).alpha.item() == 0
    assert reference.render(_stack([0.0040], scale=1e3), pinhole).alpha.item() > 0


def test_what_is_nearer_than_the_near_plane_is_not_drawn(pinhole):
    splat = _stack([0.5])
    assert reference.render(splat, pinhole, near_plane=1.9).alpha.item() > 0.4
    assert reference.render(splat, pinhole, near_plane=2.1).alpha.item() == 0


def test_negative_colours_are_black_before_blending(pinhole):
    result = reference.render(_stack([0.5], [-3.0]), pinhole)
    assert result.rgb.abs().max().item() == 0


def test_features_leave_the_geometry_alone_if_asked(make_splat, make_view, as_dtype):
    splat = as_dtype(make_splat(20, 4))
    features = torch.ones(20, 3, dtype=torch.float64, requires_grad=True)
    result = reference.render(splat, make_view(), features=features, features_move_geometry=False)
    result.features.sum().backward()
    assert features.grad.abs().sum() > 0
    assert all(getattr(splat, field.name).grad is None for field in fields(splat))


def test_what_strategies_read_has_gsplats_form(make_splat, make_view, as_dtype):
    view = make_view(33, 21)
    result = reference.render(as_dtype(make_splat(20, 4)), view)
    means2d, radii = result.info["means2d"], result.info["radii"]
    means2d.retain_grad()
    result.rgb.sum().backward()
    assert means2d.shape == radii.shape == (1, 20, 2)
    assert radii.dtype == torch.int32
    assert means2d.grad is not None
    assert (means2d.grad.abs().sum(-1) > 0).sum() > 5
    assert (means2d.grad[(radii == 0).any(-1)] == 0).all()
    assert (result.info["width"], result.info["height"], result.info["n_cameras"]) == (33, 21, 1)


def test_no_gaussians_draw_the_background(make_splat, make_view):
    background = torch.tensor([0.1, 0.2, 0.3], dtype=torch.float64)
    result = reference.render(make_splat(0), make_view(), background=background, tile_size=16)
    assert (result.rgb == background).all()
    assert (result.alpha == 0).all()


def test_blending_weights_times_values_is_the_image(make_splat, make_view):
    splat, view = make_splat(40, 5), make_view(20, 15)
    weights = reference.blending_weights(splat, view)
    image = reference.render(splat, view).rgb.reshape(-1, 3)
    torch.testing.assert_close(weights @ reference.colors_toward(splat, view), image)
    assert weights.shape == (300, 40)


@pytest.mark.parametrize(
    ("opacities", "labels", "label", "weight"),
    [
        ([0.6, 0.5], [7, 2], 7, 0.6),
        ([0.5], [7], 0, 0.5),  # as much uncovered as covered: equal shares go to 0
        ([0.5, 0.5], [7, 7], 7, 0.75),
        ([0.3, 0.6], [7, 0], 0, 0.7),  # label 0 and the uncovered rest count together
        ([0.25, 0.4 / 0.75, 0.99], [3, 9, 1], 9, 0.4),
        ([0.375, 0.6], [9, 3], 3, 0.375),  # equal shares go to the smaller id
    ],
)
def test_labels_are_blended_one_hot(pinhole, opacities, labels, label, weight):
    splat = _stack(opacities, scale=1e6)
    found, share = reference.label_map(splat, pinhole, torch.tensor(labels, dtype=torch.int32))
    assert found.dtype == torch.int32
    assert found.shape == share.shape == (1, 1)
    assert share.item() == pytest.approx(weight, abs=1e-6)
    assert found.item() == label
