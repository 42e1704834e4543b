# SPDX-License-Identifier: GPL-3.0-or-later
"""What every backend promises, checked against the reference in float64.

Rounding may tip a decision of the rules: whether a faint Gaussian is blended, where a ray ends.
Pixels where one is that close are found with the reference (`steady_pixels`, a margin of 1e-3) and
get no say: they are left out of comparisons, and no gradient comes from them.

All registered backends run, CUDA only where there is a card, and two more: the CUDA adapter on
gsplat's operations emulated in plain PyTorch, and a toy that shows what a new backend must have.
"""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
import torch
from gsplat import DefaultStrategy

from cgc_addon.rasterize import backends, reference
from cgc_addon.rasterize.interface import ALPHA_LIMIT, Backend, Rendering, SplatTensors
from cgc_addon.rasterize.select import select_backend
from cgc_addon.rasterize.ssim import photometric_loss, ssim

from .emulated_gsplat import EMULATED
from .toy_backend import TOY

TESTED = (*backends.BACKENDS, EMULATED, TOY)


def _tolerance(backend: Backend) -> float:
    """Return the relative error allowed: gsplat's kernels use fast, less exact functions."""
    return 2e-3 if backend.device.type == "cuda" else 1e-4


@pytest.fixture(
    params=[
        pytest.param(one, id=one.name, marks=[pytest.mark.gpu] if one.name == "cuda" else [])
        for one in TESTED
    ]
)
def backend(request, monkeypatch):
    monkeypatch.setattr(backends, "BACKENDS", TESTED)
    if request.param.name == "cuda":
        return request.getfixturevalue("cuda_backend")
    if request.param is EMULATED:
        request.getfixturevalue("emulated_gsplat")  # which puts gsplat's own back at the end
    return select_backend(request.param.name, compile_kernels=False)[0]


@pytest.fixture
def scene(make_splat):
    """Return a function that makes a scene whose alphas stay under every backend's cap."""

    def make(count: int = 120, seed: int = 0, degree: int = 3) -> SplatTensors:
        splat = make_splat(count, seed, degree=degree)
        return replace(
            splat, opacities=splat.opacities.clamp(0.01, 0.98), scales=1.5 * splat.scales
        )

    return make


def _deviation(actual: torch.Tensor, expected: torch.Tensor) -> float:
    """Return ‖actual − expected‖ / ‖expected‖."""
    difference = (actual.detach().cpu().double() - expected.detach()).norm()
    return (difference / expected.detach().norm().clamp(min=1e-12)).item()


def _outputs(rendering: Rendering) -> dict[str, torch.Tensor]:
    names = ("rgb", "alpha", "features", "depth")
    values = {name: getattr(rendering, name) for name in names}
    return {name: value for name, value in values.items() if value is not None}


CASES = [
    pytest.param({}, {}, id="plain"),
    pytest.param({}, {"features": 16}, id="features"),
    pytest.param({}, {"features": 16, "depth": True, "background": True}, id="everything"),
    pytest.param({}, {"features": 5, "features_move_geometry": False}, id="still geometry"),
    pytest.param({}, {"features": 1, "sh_degree": 1}, id="one feature"),
    pytest.param({}, {"features": 45, "depth": True}, id="many features"),
    pytest.param({"focal": (1.6, 0.8), "center": (0.1, 0.8)}, {"features": 16}, id="off centre"),
    pytest.param({"center": (1.4, -0.3)}, {"background": True}, id="far off centre"),
    pytest.param({"distance": 0.5}, {"features": 16, "depth": True}, id="inside"),
    pytest.param({"width": 61, "height": 37}, {"features": 16}, id="odd"),
    pytest.param({"width": 5, "height": 90}, {"depth": True}, id="narrow"),
    pytest.param({"width": 1, "height": 1}, {"depth": True}, id="one pixel"),
    pytest.param({}, {"sh_degree": 0}, id="degree 0"),
    pytest.param({}, {"sh_degree": 2}, id="degree 2"),
    pytest.param({}, {"near_plane": 2.8, "depth": True}, id="near plane"),
]


@pytest.mark.parametrize(("camera", "options"), CASES)
def test_images_and_gradients_equal_the_reference(
    backend, scene, make_view, as_dtype, steady_pixels, camera, options
):
    options = dict(options)
    view = make_view(seed=7, **camera)
    exact = scene(seed=len(options))
    generator = torch.Generator().manual_seed(0)
    features = None
    if count := options.pop("features", 0):
        features = torch.randn(len(exact.means), count, generator=generator, dtype=torch.float64)
        features = features.float().double()
    if options.pop("background", False):
        options["background"] = torch.tensor([0.25, 0.5, 1.0])
    steady = steady_pixels(exact, view)
    assert steady.double().mean() > 0.95

    def run(draw, dtype: torch.dtype, device: torch.device):
        splat = as_dtype(exact, dtype=dtype, device=device)
        channels = None
        if features is not None:
            channels = features.detach().clone().to(device, dtype).requires_grad_()
        rendering = draw(splat, view, features=channels, **options)
        rendering.info["means2d"].retain_grad()
        loss = torch.zeros((), dtype=dtype, device=device)
        upstream = torch.Generator().manual_seed(1)
        for value in _outputs(rendering).values():
            weight = torch.randn(value.shape, generator=upstream, dtype=torch.float64)
            weight *= steady.reshape(*steady.shape, *[1] * (value.ndim - 2))
            loss = loss + (weight.to(device, dtype) * value).sum()
        loss.backward()
        gradients = {field.name: getattr(splat, field.name).grad for field in fields(splat)}
        gradients["means2d"] = rendering.info["means2d"].grad
        if channels is not None:
            gradients["features"] = channels.grad
        return rendering, gradients

    expected, wanted = run(reference.render, torch.float64, torch.device("cpu"))
    actual, gradients = run(backend.render, torch.float32, backend.device)
    tolerance = _tolerance(backend)
    assert _outputs(actual).keys() == _outputs(expected).keys()
    for name, value in _outputs(expected).items():
        drawn = _outputs(actual)[name]
        assert drawn.shape == value.shape, name
        assert drawn.dtype == torch.float32, name
        assert _deviation(drawn.cpu()[steady], value[steady]) < tolerance, name
    for name, gradient in wanted.items():
        assert gradients[name] is not None, name
        assert gradients[name].isfinite().all(), name
        assert _deviation(gradients[name], gradient) < tolerance, name


def test_gradients_do_not_depend_on_whether_harmonics_want_theirs(
    backend, scene, make_view, as_dtype
):
    def run(harmonics_learn: bool) -> SplatTensors:
        splat = as_dtype(scene(seed=3), dtype=torch.float32, device=backend.device)
        shown = splat if harmonics_learn else replace(splat, shN=splat.shN.detach())
        backend.render(shown, make_view(seed=7)).rgb.square().sum().backward()
        return splat

    every, without = run(True), run(False)
    assert without.shN.grad is None
    assert every.shN.grad is not None
    for name in ("means", "quats", "scales", "opacities", "sh0"):
        assert torch.equal(getattr(every, name).grad, getattr(without, name).grad), name


@pytest.mark.parametrize("stored", [0, 1, 2])
def test_splats_may_store_fewer_harmonics(backend, scene, make_view, as_dtype, stored):
    exact, view = scene(40, degree=stored), make_view()
    expected = reference.render(exact, view, sh_degree=3)
    splat = as_dtype(exact, grad=False, dtype=torch.float32, device=backend.device)
    actual = backend.render(splat, view, sh_degree=3)
    assert _deviation(actual.rgb, expected.rgb) < 5e-3  # a faint Gaussian more or less


@pytest.mark.parametrize("opacity", [0.5, 1.0])
def test_alpha_is_capped(backend, make_splat, make_view, as_dtype, opacity):
    splat = make_splat(1)
    splat = replace(
        splat,
        means=torch.zeros_like(splat.means),
        scales=torch.full_like(splat.scales, 100.0),
        opacities=torch.full_like(splat.opacities, opacity),
    )
    splat = as_dtype(splat, grad=False, dtype=torch.float32, device=backend.device)
    alpha = backend.render(splat, make_view(9, 9)).alpha
    torch.testing.assert_close(
        alpha.cpu(), torch.full((9, 9), min(opacity, ALPHA_LIMIT)), rtol=0, atol=1e-3 * opacity
    )
    assert alpha.max() <= ALPHA_LIMIT + 1e-6


def test_no_gaussians_draw_the_background(backend, make_splat, make_view, as_dtype):
    splat = as_dtype(make_splat(0), dtype=torch.float32, device=backend.device)
    view, background = make_view(20, 10), torch.tensor([0.1, 0.2, 0.3])
    features = torch.zeros(0, 16, device=backend.device)
    drawn = backend.render(splat, view, features=features, background=background, depth=True)
    assert (drawn.rgb.cpu() == background).all()
    assert (drawn.alpha == 0).all()
    assert drawn.features is not None
    assert drawn.features.shape == (10, 20, 16)
    assert (drawn.features == 0).all()
    assert (drawn.depth == 0).all()
    assert drawn.info["radii"].shape == (1, 0, 2)
    labels, weights = backend.render_labels(
        splat, view, torch.zeros(0, dtype=torch.int32, device=backend.device)
    )
    assert (labels == 0).all()
    assert (weights == 1).all()
    matrix = backend.blending_weights(splat, view, torch.arange(5))
    assert matrix.starts.tolist() == [0] * 6
    assert matrix.count == 0
    split = backend.render_split(splat, view, torch.ones(10, 20, device=backend.device))
    assert split.front_rgb.shape == split.back_rgb.shape == (10, 20, 3)
    assert split.front_alpha.shape == split.back_alpha.shape == (10, 20)
    assert all((value == 0).all() for value in vars(split).values())


def test_what_lies_behind_the_camera_is_not_drawn(backend, scene, make_view, as_dtype):
    view = make_view(20, 10, distance=-4)
    splat = as_dtype(scene(30), dtype=torch.float32, device=backend.device)
    drawn = backend.render(splat, view)
    drawn.rgb.sum().backward()
    assert (drawn.alpha == 0).all()
    assert (drawn.info["radii"] == 0).all()
    assert splat.means.grad is None or (splat.means.grad == 0).all()
    split = backend.render_split(splat, view, torch.full((10, 20), 3.0, device=backend.device))
    assert all((value == 0).all() for value in vars(split).values())


def test_extreme_gaussians_stay_finite(backend, scene, make_view, as_dtype):
    splat = scene(60)
    scales = splat.scales.clone()
    scales[:10] = 1e-7
    scales[10:14] = 1e4
    scales[14:20, 0] = 1e-6
    quats = splat.quats.clone()
    quats[20:30] *= 1e4
    quats[30:40] *= 1e-4
    opacities = splat.opacities.clone()
    opacities[40:45], opacities[45:50] = 0.0, 1.0
    means = splat.means.clone()
    means[50:55] *= 1e5
    splat = replace(splat, scales=scales, quats=quats, opacities=opacities, means=means)
    splat = as_dtype(splat, dtype=torch.float32, device=backend.device)
    features = torch.ones(60, 16, device=backend.device, requires_grad=True)
    drawn = backend.render(splat, make_view(distance=0.3), features=features, depth=True)
    sum(value.sum() for value in _outputs(drawn).values()).backward()
    assert all(value.isfinite().all() for value in _outputs(drawn).values())
    assert drawn.alpha.max() <= 1
    for field in fields(splat):
        assert getattr(splat, field.name).grad.isfinite().all(), field.name
    assert features.grad.isfinite().all()


def test_a_rendering_repeats_bit_for_bit(backend, scene, make_view, as_dtype):
    if backend.device.type == "cuda":
        pytest.skip("gsplat adds gradients in any order")
    results = []
    for _ in range(2):
        splat = as_dtype(scene(300), dtype=torch.float32, device=backend.device)
        features = torch.ones(300, 16, requires_grad=True)
        drawn = backend.render(splat, make_view(), features=features)
        (drawn.rgb.square().sum() + drawn.features.square().sum()).backward()
        gradients = [getattr(splat, field.name).grad for field in fields(splat)]
        results.append([drawn.rgb, drawn.features, features.grad, *gradients])
    assert all((a == b).all() for a, b in zip(*results, strict=True))


@pytest.mark.parametrize(
    "names", [np.array([0, 1, 2, 40, 300, 65535]), np.arange(3, 90)], ids=["few", "many"]
)
def test_labels_equal_the_reference(backend, scene, make_view, as_dtype, steady_pixels, names):
    exact, view = scene(200, 3), make_view(50, 40)
    generator = np.random.default_rng(0)
    labels = torch.as_tensor(generator.choice(names, 200).astype(np.int32))
    ids = torch.as_tensor(np.union1d(names, 0))
    weights = reference.blending_weights(exact, view)
    shares = weights @ (labels[:, None] == ids).double()
    shares[:, 0] += 1 - weights.sum(dim=1)
    best = shares.topk(2, dim=1).values.reshape(40, 50, 2)
    clear = steady_pixels(exact, view) & (best[..., 0] - best[..., 1] > 1e-3)
    assert clear.double().mean() > 0.8

    expected, expected_weights = reference.label_map(exact, view, labels)
    splat = as_dtype(exact, grad=False, dtype=torch.float32, device=backend.device)
    actual, actual_weights = backend.render_labels(splat, view, labels.to(backend.device))
    assert actual.dtype == torch.int32
    assert (actual.cpu()[clear] == expected[clear]).all()
    assert len(expected[clear].unique()) > 3
    difference = (actual_weights.cpu()[clear] - expected_weights[clear]).abs().max()
    assert difference < _tolerance(backend)


def test_blending_weights_equal_the_reference(backend, scene, make_view, as_dtype, steady_pixels):
    exact, view = scene(150, 4), make_view(40, 30)
    steady = steady_pixels(exact, view).flatten()
    pixels = torch.randperm(1200, generator=torch.Generator().manual_seed(0))[:700]
    splat = as_dtype(exact, grad=False, dtype=torch.float32, device=backend.device)
    matrix = backend.blending_weights(splat, view, pixels.to(backend.device))
    assert (matrix.starts.dtype, matrix.gaussians.dtype) == (np.int64, np.int32)
    assert matrix.weights.dtype == np.float32
    assert (len(matrix), matrix.count) == (700, 150)
    assert (matrix.weights > 0).all()

    expected = reference.blending_weights(exact, view)[pixels]
    depths = reference.project(exact, view).depths
    dense = torch.zeros_like(expected)
    for row in range(700):
        entries = slice(matrix.starts[row], matrix.starts[row + 1])
        gaussians = torch.as_tensor(matrix.gaussians[entries].astype(np.int64))
        dense[row, gaussians] = torch.as_tensor(matrix.weights[entries]).double()
        assert (depths[gaussians].diff() >= 0).all()  # front to back
    difference = (dense - expected)[steady[pixels]]
    assert difference.abs().max() < _tolerance(backend)

    trimmed = backend.blending_weights(splat, view, pixels.to(backend.device), minimum=0.05)
    kept = matrix.weights > 0.05
    assert (trimmed.gaussians == matrix.gaussians[kept]).all()
    assert (trimmed.weights == matrix.weights[kept]).all()
    counts = np.add.reduceat(np.append(kept, 0), matrix.starts[:-1])
    counts[np.diff(matrix.starts) == 0] = 0
    assert (np.diff(trimmed.starts) == counts).all()


def test_blending_weights_times_features_is_the_feature_map(backend, scene, make_view, as_dtype):
    view = make_view(40, 30)
    splat = as_dtype(scene(150, 5), grad=False, dtype=torch.float32, device=backend.device)
    features = torch.randn(150, 16, generator=torch.Generator().manual_seed(0))
    drawn = backend.render(splat, view, features=features.to(backend.device)).features
    matrix = backend.blending_weights(splat, view, torch.arange(1200, device=backend.device))
    product = torch.from_numpy(matrix.blend(features.numpy())).reshape(30, 40, 16)
    assert _deviation(drawn, product.double()) < _tolerance(backend)


def test_blending_weights_show_the_labels_that_are_rendered(backend, scene, make_view, as_dtype):
    view = make_view(40, 30)
    splat = as_dtype(scene(150, 6), grad=False, dtype=torch.float32, device=backend.device)
    labels = torch.as_tensor(np.random.default_rng(0).choice([0, 1, 2, 40, 300], 150)).int()
    rendered, weights = backend.render_labels(splat, view, labels.to(backend.device))
    matrix = backend.blending_weights(splat, view, torch.arange(1200, device=backend.device))
    shown = matrix.strongest_labels(labels.numpy()).reshape(30, 40)
    clear = weights.cpu() > 0.5 + 1e-3  # whatever else is there has less
    assert clear.float().mean() > 0.3
    assert (torch.from_numpy(shown)[clear] == rendered.cpu()[clear]).all()


@pytest.mark.parametrize(("size", "sh_degree"), [((50, 40), 3), ((61, 37), 1), ((1, 1), 0)])
def test_split_renderings_equal_the_reference(
    backend, scene, make_view, as_dtype, steady_pixels, size, sh_degree
):
    exact, view = scene(200, 9), make_view(*size, seed=3)
    steady = steady_pixels(exact, view)
    generator = torch.Generator().manual_seed(0)
    limits = 1.5 + 3 * torch.rand(*size[::-1], generator=generator)  # the scene is at 1.3 to 4.7
    limits[torch.rand(limits.shape, generator=generator) < 0.2] = torch.inf
    depths = reference.project(exact, view).depths
    nearest = (depths - limits.double().reshape(-1, 1)).abs().amin(dim=1)
    steady &= (nearest > 1e-5).reshape(steady.shape)  # no Gaussian changes sides by rounding
    assert steady.double().mean() > 0.9

    expected = reference.render_split(exact, view, limits, sh_degree=sh_degree)
    splat = as_dtype(exact, grad=False, dtype=torch.float32, device=backend.device)
    actual = backend.render_split(splat, view, limits.to(backend.device), sh_degree=sh_degree)
    for name, value in vars(expected).items():
        drawn = getattr(actual, name)
        assert (drawn.shape, drawn.dtype) == (value.shape, torch.float32), name
        difference = (drawn.cpu().double() - value)[steady].abs().max()
        assert difference < _tolerance(backend), name


def test_the_parts_of_a_split_add_up_to_the_rendering(backend, scene, make_view, as_dtype):
    view = make_view(50, 40)
    splat = as_dtype(scene(300, 10), grad=False, dtype=torch.float32, device=backend.device)
    whole = backend.render(splat, view)
    limits = torch.linspace(1, 5, 2000, device=backend.device).reshape(40, 50)
    split = backend.render_split(splat, view, limits)
    assert (split.front_rgb + split.back_rgb - whole.rgb).abs().max() < 1e-6
    assert (split.front_alpha + split.back_alpha - whole.alpha).abs().max() < 1e-6
    assert split.front_alpha.mean() > 0.1
    assert split.back_alpha.mean() > 0.1


@pytest.mark.parametrize("limit", [0.0, 2.0, torch.inf, torch.nan])
def test_a_limit_before_or_behind_everything_leaves_one_part_empty(
    backend, scene, make_view, as_dtype, limit
):
    view = make_view(50, 40, distance=5.0)  # the scene is at 3.2 to 6.8
    splat = as_dtype(scene(100, 11), grad=False, dtype=torch.float32, device=backend.device)
    whole = backend.render(splat, view)
    limits = torch.full((40, 50), limit, device=backend.device)
    split = backend.render_split(splat, view, limits)
    front, back = (split.front_rgb, split.front_alpha), (split.back_rgb, split.back_alpha)
    full, empty = (back, front) if limit <= 2 else (front, back)
    for value, expected in zip(full, (whole.rgb, whole.alpha), strict=True):
        assert (value - expected).abs().max() < 1e-6
    assert all(value.abs().max() < 1e-6 for value in empty)


def test_the_loss_is_the_same_everywhere(backend):
    generator = torch.Generator().manual_seed(0)
    target = torch.rand(43, 57, 3, generator=generator)
    rgb = target + 0.1 * torch.randn(43, 57, 3, generator=generator)
    own, other = (rgb.clone().to(device).requires_grad_() for device in (backend.device, "cpu"))
    loss = backend.photometric_loss(own, target.to(backend.device), 0.2)
    loss.backward()
    photometric_loss(other, target, 0.2).backward()
    assert loss.item() == pytest.approx(photometric_loss(other, target, 0.2).item(), abs=1e-6)
    assert _deviation(own.grad, other.grad.double()) < 1e-4
    similarity = backend.ssim(rgb.to(backend.device), target.to(backend.device))
    assert isinstance(similarity, float)
    assert similarity == pytest.approx(ssim(rgb, target).item(), abs=1e-6)


def test_a_real_optimisation_with_densification(backend, scene, make_view, as_dtype):
    """Train with gsplat's own strategy: what it reads, duplicates and prunes must fit."""
    device, count = backend.device, 60
    views = [make_view(40, 30, seed) for seed in range(3)]
    truth = as_dtype(scene(count, 8), grad=False, dtype=torch.float32, device=device)
    with torch.no_grad():
        photos = [backend.render(truth, view).rgb.clamp(0, 1) for view in views]
    torch.manual_seed(0)
    start = {
        "means": truth.means + 0.05 * torch.randn(count, 3).to(device),
        "scales": truth.scales.log() - 0.3,
        "quats": truth.quats,
        "opacities": torch.logit(truth.opacities * 0.8),
        "sh0": 0.5 * truth.sh0,
        "shN": torch.zeros_like(truth.shN),
        "features": torch.randn(count, 16).to(device),
    }
    params = {name: torch.nn.Parameter(value.clone()) for name, value in start.items()}
    optimizers = {
        name: torch.optim.Adam([{"params": value, "lr": 0.01, "name": name}], fused=True)
        for name, value in params.items()
    }
    strategy = DefaultStrategy(refine_start_iter=5, refine_every=10, grow_grad2d=2e-4)
    strategy.check_sanity(params, optimizers)
    state = strategy.initialize_state(scene_scale=1.0)

    losses, counts = [], set()
    for step in range(22):
        splat = SplatTensors(
            params["means"],
            params["quats"],
            params["scales"].exp(),
            params["opacities"].sigmoid(),
            params["sh0"],
            params["shN"],
        )
        drawn = backend.render(splat, views[step % 3], features=params["features"])
        strategy.step_pre_backward(params, optimizers, state, step, drawn.info)
        loss = backend.photometric_loss(drawn.rgb, photos[step % 3], 0.2)
        losses.append(loss.item())
        (loss + 1e-3 * drawn.features.square().mean()).backward()
        assert all(value.grad.isfinite().all() for value in params.values())
        strategy.step_post_backward(params, optimizers, state, step, drawn.info, packed=False)
        for optimizer in optimizers.values():
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        counts.add(len(params["means"]))
    assert np.mean(losses[-3:]) < 0.85 * np.mean(losses[:3])
    assert len(counts) > 2  # densified more than once
    assert all(len(value) == len(params["means"]) for value in params.values())
