# SPDX-License-Identifier: GPL-3.0-or-later
"""Structural similarity of pictures and the photometric loss of 3DGS, in plain PyTorch.

SSIM (Wang et al. 2004) compares windows: with the window's weighted means μ and E[·], covariance
σxy = E[xy] − μx μy, and the difference d = x − y, it is the product of two ratios,

    S = l · s,  l = A₁ / (A₁ + μd²),  A₁ = 2 μx μy + c₁,
                s = A₂ / (A₂ + σd²),  A₂ = 2 σxy + c₂,  σd² = E[d²] − μd².

That is the usual formula, as (μx − μy)² = μx² + μy² − 2 μx μy and likewise for σ; written so, the
rounding errors of A₁ and A₂ cancel where the pictures are alike, and float32 is enough.

The gradient needs S's derivatives to μx, E[d²] and E[xy], blurred: the blur is symmetric, so it is
its own adjoint, and

    ∂ΣS/∂x = blur(∂S/∂μx) + 2d · blur(∂S/∂E[d²]) + y · blur(∂S/∂E[xy]).

Outside the picture everything is zero, as in 3DGS. All is computed where the pictures lie and in
their dtype.
"""

from __future__ import annotations

import torch
from torch import Tensor

from .interface import SSIM_C1, SSIM_C2, SSIM_REACH, SSIM_SIGMA


def photometric_loss(rgb: Tensor, target: Tensor, dssim_weight: float = 0.2) -> Tensor:
    """Return (1 − w) · L1 + w · (1 − SSIM) (Kerbl et al. 2023, eq. 7), a scalar.

    Differentiable to `rgb`; `target` gets no gradient.

    Args:
        rgb: (H, W, 3) rendered.
        target: (H, W, 3) photo in 0..1.
        dssim_weight: w, 0..1.

    Raises:
        ValueError: the pictures differ in shape or are not (H, W, 3).

    Example:
        >>> black, grey, white = (torch.full((20, 20, 3), level) for level in (0.0, 0.25, 1.0))
        >>> photometric_loss(grey, black, dssim_weight=0.0).item()  # the mean difference
        0.25
        >>> round(photometric_loss(white, black).item(), 3)  # as different as pictures can be
        1.0
    """
    similarity = ssim(rgb, target)
    difference = (rgb - target).abs().mean()
    return (1 - dssim_weight) * difference + dssim_weight * (1 - similarity)


def ssim(a: Tensor, b: Tensor) -> Tensor:
    """Return the mean structural similarity of two pictures in 0..1, a scalar; 1 is equal.

    Differentiable to `a`; `b` gets no gradient.

    Args:
        a: (H, W, 3).
        b: (H, W, 3).

    Raises:
        ValueError: the pictures differ in shape or are not (H, W, 3).

    Example:
        >>> black, white = torch.zeros(20, 20, 3), torch.ones(20, 20, 3)
        >>> round(ssim(white, white).item(), 3), round(ssim(white, black).item(), 3)
        (1.0, 0.0)
    """
    if a.shape != b.shape or a.ndim != 3 or a.shape[2] != 3:
        raise ValueError(f"pictures must be (H, W, 3): {tuple(a.shape)}, {tuple(b.shape)}")
    return _Similarity.apply(a, b)  # type: ignore[no-any-return]


class _Similarity(torch.autograd.Function):
    """SSIM with its gradient computed along: autograd would keep a dozen maps for it."""

    @staticmethod
    def forward(ctx, a: Tensor, b: Tensor) -> Tensor:
        x, y = (image.detach().permute(2, 0, 1)[:, None] for image in (a, b))
        d = x - y
        mean_y, mean_d, square, product = _blur(torch.cat([y, d, d * d, x * y])).chunk(4)
        means, distance = mean_y * (mean_y + mean_d), mean_d * mean_d
        a1, a2 = 2 * means + SSIM_C1, 2 * (product - means) + SSIM_C2
        b1, variance = a1 + distance, square - distance
        b2 = a2 + variance
        luminance, structure = a1 / b1, a2 / b2
        value = luminance * structure
        by_square = -value / b2
        by_product = 2 * luminance * variance / (b2 * b2)
        by_luminance = 2 * structure * (mean_y * distance / b1 - mean_d * luminance) / b1
        by_mean = by_luminance - mean_y * by_product - 2 * mean_d * by_square
        by_mean, by_square, by_product = _blur(torch.cat([by_mean, by_square, by_product])).chunk(3)
        gradient = (by_mean + 2 * d * by_square + y * by_product) / value.numel()
        ctx.save_for_backward(gradient[:, 0].permute(1, 2, 0))
        return value.mean()

    @staticmethod
    def backward(ctx, grad_output: Tensor) -> tuple[Tensor, None]:  # pyright: ignore[reportIncompatibleMethodOverride]
        (gradient,) = ctx.saved_tensors
        return grad_output * gradient, None


def _blur(images: Tensor) -> Tensor:
    """Weigh images (B, 1, H, W) with the Gaussian window of SSIM, zeros outside."""
    offsets = torch.arange(-SSIM_REACH, SSIM_REACH + 1, dtype=torch.float64)
    profile = torch.exp(-(offsets**2) / (2 * SSIM_SIGMA**2))
    window = (profile / profile.sum()).to(images)
    conv2d = torch.nn.functional.conv2d
    # cuDNN would round to 10 bits (TF32), far too few for a difference of squares.
    with torch.backends.cudnn.flags(enabled=False):
        rows = conv2d(images, window.reshape(1, 1, -1, 1), padding=(SSIM_REACH, 0))
        return conv2d(rows, window.reshape(1, 1, 1, -1), padding=(0, SSIM_REACH))
