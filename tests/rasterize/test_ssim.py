# SPDX-License-Identifier: GPL-3.0-or-later
"""The photometric loss is that of 3DGS, against float64 convolutions: plain and on CPU kernels."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cgc_addon.rasterize import ssim as plain
from cgc_addon.rasterize.cpu import ssim as kernels


@pytest.fixture(params=[plain, kernels], ids=["plain", "kernels"], scope="module")
def implementation(request):
    return request.param


def _similarity(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Return the mean SSIM of pictures (H, W, 3) as Wang et al. 2004 print it."""
    offsets = torch.arange(11, dtype=x.dtype) - 5
    window = torch.exp(-(offsets**2) / (2 * 1.5**2))
    window = torch.outer(window, window) / window.sum() ** 2

    def blur(image: torch.Tensor) -> torch.Tensor:
        channels = image.permute(2, 0, 1)[:, None]
        return torch.nn.functional.conv2d(channels, window[None, None], padding=5)

    mean_x, mean_y = blur(x), blur(y)
    variance_x, variance_y = blur(x * x) - mean_x**2, blur(y * y) - mean_y**2
    covariance = blur(x * y) - mean_x * mean_y
    c1, c2 = 0.01**2, 0.03**2
    above = (2 * mean_x * mean_y + c1) * (2 * covariance + c2)
    below = (mean_x**2 + mean_y**2 + c1) * (variance_x + variance_y + c2)
    return (above / below).mean()


def _loss(x: torch.Tensor, y: torch.Tensor, weight: float) -> torch.Tensor:
    return (1 - weight) * (x - y).abs().mean() + weight * (1 - _similarity(x, y))


def _pictures(
    height: int, width: int, seed: int, noise: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return a picture with smooth shapes and grain, and a noisy copy, (H, W, 3) float32."""
    generator = np.random.default_rng(seed)
    rows, columns = np.mgrid[:height, :width, :3][:2]
    waves = sum(
        np.sin(generator.uniform(0, 0.6) * rows + generator.uniform(0, 0.6) * columns + phase)
        for phase in generator.uniform(0, 6, 3)
    )
    photo = 0.5 + 0.12 * waves + 0.03 * generator.normal(size=waves.shape)
    copy = photo + noise * generator.normal(size=photo.shape)
    return torch.tensor(copy, dtype=torch.float32), torch.tensor(photo, dtype=torch.float32)


@settings(max_examples=40, deadline=None)
@given(
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    seed=st.integers(0, 1000),
    noise=st.sampled_from([0.01, 0.1, 0.5]),
    weight=st.sampled_from([0.0, 0.2, 1.0]),
)
@example(height=1, width=1, seed=0, noise=0.1, weight=0.2)
@example(height=3, width=5, seed=0, noise=0.1, weight=0.2)
@example(height=300, width=401, seed=0, noise=0.1, weight=0.2)
def test_loss_and_gradient_equal_float64_convolutions(
    implementation, height, width, seed, noise, weight
):
    rgb, photo = _pictures(height, width, seed, noise)
    rgb.requires_grad_()
    loss = implementation.photometric_loss(rgb, photo, weight)
    (3 * loss).backward()

    exact = rgb.detach().double().requires_grad_()
    expected = _loss(exact, photo.double(), weight)
    (3 * expected).backward()
    assert loss.shape == ()
    assert loss.item() == pytest.approx(expected.item(), abs=1e-6)
    error = (rgb.grad - exact.grad).norm() / exact.grad.norm()
    assert error < 1e-4
    assert (rgb.grad - exact.grad).abs().max() < 1e-4 * exact.grad.abs().max()


def test_the_plain_one_is_exact_in_float64():
    rgb, photo = (picture.double() for picture in _pictures(40, 50, 0, 0.1))
    rgb.requires_grad_()
    (gradient,) = torch.autograd.grad(plain.photometric_loss(rgb, photo, 0.2), rgb)
    (expected,) = torch.autograd.grad(_loss(rgb, photo, 0.2), rgb)
    torch.testing.assert_close(gradient, expected, rtol=1e-9, atol=1e-15)


def test_equal_pictures_lose_nothing(implementation):
    rgb, _ = _pictures(30, 41, 0, 0.0)
    rgb.requires_grad_()
    loss = implementation.photometric_loss(rgb, rgb.detach().clone(), 0.2)
    loss.backward()
    assert loss.item() == pytest.approx(0, abs=1e-7)
    assert rgb.grad.abs().max() < 1e-9


def test_similarity_is_one_for_equal_pictures_and_that_of_the_paper_for_others(implementation):
    rgb, photo = _pictures(33, 29, 1, 0.2)
    assert float(implementation.ssim(photo, photo)) == pytest.approx(1, abs=1e-7)
    assert float(implementation.ssim(rgb, photo)) == pytest.approx(
        _similarity(rgb.double(), photo.double()).item(), abs=1e-6
    )


def test_a_strided_picture_gets_its_gradient_back(implementation):
    rgb, photo = _pictures(20, 24, 2, 0.1)
    wide = torch.cat([rgb, torch.zeros(20, 24, 16)], dim=-1).requires_grad_()
    implementation.photometric_loss(wide[..., :3], photo, 0.2).backward()
    rgb.requires_grad_()
    implementation.photometric_loss(rgb, photo, 0.2).backward()
    assert (wide.grad[..., :3] == rgb.grad).all()
    assert (wide.grad[..., 3:] == 0).all()


@pytest.mark.parametrize("shape", [(4, 5, 4), (4, 6, 3), (20, 3)])
def test_pictures_of_other_shapes_are_refused(implementation, shape):
    with pytest.raises(ValueError, match="pictures must be"):
        implementation.photometric_loss(torch.zeros(shape), torch.zeros(4, 5, 3))
