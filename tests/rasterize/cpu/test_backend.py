# SPDX-License-Identifier: GPL-3.0-or-later
"""What the CPU backend promises beyond the contract that all backends share."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
import torch

from cgc_addon.errors import CgcError
from cgc_addon.rasterize import reference
from cgc_addon.rasterize.cpu import CpuBackend
from cgc_addon.rasterize.interface import SplatTensors


def _gradients(splat: SplatTensors, features: torch.Tensor) -> dict[str, torch.Tensor]:
    found = {field.name: getattr(splat, field.name).grad for field in fields(splat)}
    return {**found, "features": features.grad}


def _loss(rendering, upstream, shaky):
    """Return a random linear function of all that was drawn, without the doubtful pixels."""
    total = 0.0
    for name in ("rgb", "alpha", "features", "depth"):
        image = getattr(rendering, name)
        if image is not None:
            weight = upstream[name][..., : image.shape[-1]] if image.ndim == 3 else upstream[name]
            weight = weight.to(image.dtype).clone()
            weight[shaky] = 0
            total = total + (image * weight).sum()
    return total


@pytest.mark.parametrize("move", [True, False])
@pytest.mark.parametrize("depth", [True, False])
@pytest.mark.parametrize("channels", [0, 5, 16])
def test_gradients_equal_autograd_in_float64(
    backend, make_splat, make_view, as_dtype, steady_pixels, channels, depth, move
):
    count = 150
    view = make_view(45, 37, 2, center=(0.4, 0.6))
    base = make_splat(count, 7)
    shaky = ~steady_pixels(base, view)
    assert shaky.float().mean() < 0.5
    generator = torch.Generator().manual_seed(0)
    upstream = {
        name: torch.randn(37, 45, *shape, generator=generator, dtype=torch.float64)
        for name, shape in (("rgb", (3,)), ("alpha", ()), ("features", (16,)), ("depth", ()))
    }
    values = torch.randn(count, channels, generator=generator, dtype=torch.float64)
    results = []
    for draw, kind in ((reference.render, torch.float64), (backend.render, torch.float32)):
        splat = as_dtype(base, dtype=kind)
        features = values.detach().clone().to(kind).requires_grad_()
        background = torch.tensor([0.2, 0.5, 0.9], dtype=kind, requires_grad=True)
        rendering = draw(
            splat,
            view,
            features=features if channels else None,
            background=background,
            depth=depth,
            features_move_geometry=move,
        )
        rendering.info["means2d"].retain_grad()
        _loss(rendering, upstream, shaky).backward()
        found = _gradients(splat, features)
        found["background"] = background.grad
        found["means2d"] = rendering.info["means2d"].grad
        results.append(found)
    expected, actual = results
    for name, gradient in expected.items():
        if gradient is None:
            assert actual[name] is None
            continue
        error = (actual[name].double() - gradient).norm() / (gradient.norm() + 1e-30)
        assert error < 1e-4, f"{name}: {error:.1e}"


def test_what_is_not_finite_is_left_out_alone(backend, make_splat, make_view, as_dtype):
    view = make_view()
    good = as_dtype(make_splat(60, 1), dtype=torch.float32)
    bad = as_dtype(make_splat(60, 1), dtype=torch.float32)
    features, bad_features = torch.ones(60, 8), torch.ones(60, 8)
    with torch.no_grad():
        bad.means[0, 1] = torch.nan
        bad.quats[1] = 0
        bad.scales[2, 2] = torch.inf
        bad.opacities[3] = torch.nan
        bad.sh0[4, 0, 0] = torch.inf
        bad.shN[5, 3, 1] = torch.nan
        bad_features[6, 2] = torch.nan
        good.opacities[:7] = 0
    bad_features.requires_grad_()
    expected = backend.render(good, view, features=features)
    actual = backend.render(bad, view, features=bad_features)
    assert torch.equal(actual.rgb, expected.rgb)
    assert (actual.info["radii"][0, :7] == 0).all()
    (actual.rgb.sum() + actual.features.sum()).backward()
    for name, gradient in _gradients(bad, bad_features).items():
        assert torch.isfinite(gradient).all(), name
        assert (gradient[:7] == 0).all(), name


@pytest.mark.parametrize("size", [(1, 1), (17, 5), (16, 32)])
def test_one_gaussian_may_cover_everything(backend, make_view, size):
    one = torch.ones(1, 1)
    splat = SplatTensors(
        means=torch.zeros(1, 3, requires_grad=True),
        quats=torch.tensor([[1.0, 0, 0, 0]]),
        scales=100 * one.expand(1, 3),
        opacities=torch.full((1,), 0.6),
        sh0=torch.zeros(1, 1, 3),
        shN=torch.zeros(1, 15, 3),
    )
    rendering = backend.render(splat, make_view(*size))
    torch.testing.assert_close(rendering.alpha, torch.full(size[::-1], 0.6), rtol=2e-2, atol=0)
    rendering.rgb.sum().backward()
    assert torch.isfinite(splat.means.grad).all()


@pytest.mark.parametrize("depth", [True, False])
def test_features_that_want_no_gradient_move_the_geometry_alike(
    backend, make_splat, make_view, as_dtype, depth
):
    base, view = make_splat(80, 3), make_view(45, 37, 2)
    values = torch.randn(80, 8, generator=torch.Generator().manual_seed(0))
    found = []
    for wanted in (True, False):
        splat = as_dtype(base, dtype=torch.float32)
        features = values.clone().requires_grad_(wanted)
        rendering = backend.render(splat, view, features=features, depth=depth)
        (rendering.features.square().sum() + rendering.rgb.sum()).backward()
        assert (features.grad is None) is not wanted
        found.append(_gradients(splat, features))
    for field in fields(SplatTensors):
        assert torch.equal(found[0][field.name], found[1][field.name])


def test_nothing_visible_gives_zero_gradients(backend, make_splat, make_view, as_dtype):
    splat = as_dtype(make_splat(20, 1), dtype=torch.float32)
    rendering = backend.render(splat, make_view(distance=-50.0))
    assert (rendering.alpha == 0).all()
    rendering.rgb.sum().backward()
    assert all((getattr(splat, f.name).grad == 0).all() for f in fields(splat))


def test_strided_tensors_draw_the_same(backend, make_splat, make_view, as_dtype):
    splat = as_dtype(make_splat(50, 1), dtype=torch.float32, grad=False)
    strided = {}
    for field in fields(splat):
        tensor = getattr(splat, field.name)
        strided[field.name] = torch.stack([tensor, tensor + 1], -1)[..., 0]
    assert not strided["means"].is_contiguous()
    view = make_view()
    assert torch.equal(
        backend.render(SplatTensors(**strided), view).rgb, backend.render(splat, view).rgb
    )


def test_other_types_and_shapes_are_refused_by_name(backend, make_splat, make_view, as_dtype):
    splat = as_dtype(make_splat(5, 1), dtype=torch.float32, grad=False)
    view = make_view()
    with pytest.raises(CgcError, match=r"means as torch\.float64"):
        backend.render(replace(splat, means=splat.means.double()), view)
    with pytest.raises(CgcError, match="scales of shape"):
        backend.render(replace(splat, scales=splat.scales[:3]), view)
    with pytest.raises(CgcError, match="one int32 for each"):
        backend.render_labels(splat, view, torch.zeros(5))
    with pytest.raises(CgcError, match="twice"):
        backend.blending_weights(splat, view, torch.tensor([3, 3]))
    with pytest.raises(CgcError, match="row · width"):
        backend.blending_weights(splat, view, torch.tensor([64 * 48]))
    with pytest.raises(CgcError, match="limits of depth of shape"):
        backend.render_split(splat, view, torch.zeros(64, 48))


def test_the_result_does_not_depend_on_the_threads(make_splat, make_view, as_dtype):
    base, view = make_splat(300, 2), make_view()
    results = []
    for threads in (1, 2, 2):
        splat = as_dtype(base, dtype=torch.float32)
        rendering = CpuBackend(threads).render(splat, view)
        rendering.rgb.square().sum().backward()
        results.append([rendering.rgb, *(getattr(splat, f.name).grad for f in fields(splat))])
    for other in results[1:]:
        assert all(torch.equal(a, b) for a, b in zip(results[0], other, strict=True))


def test_threads_must_exist():
    with pytest.raises(CgcError, match="0 threads"):
        CpuBackend(0)


def test_minimum_leaves_small_weights_out(backend, make_splat, make_view, as_dtype):
    splat = as_dtype(make_splat(200, 2), dtype=torch.float32, grad=False)
    pixels = torch.randperm(64 * 48)[:500]
    everything = backend.blending_weights(splat, make_view(), pixels)
    some = backend.blending_weights(splat, make_view(), pixels, minimum=0.05)
    kept = everything.weights > 0.05
    np.testing.assert_array_equal(some.weights, everything.weights[kept])
    np.testing.assert_array_equal(some.gaussians, everything.gaussians[kept])


def test_compiling_reports_every_stage(backend):
    messages = []
    backend.compile_kernels(messages.append)
    assert [m.done for m in messages] == list(range(len(messages)))
    assert messages[-1].done == messages[-1].total
