# SPDX-License-Identifier: GPL-3.0-or-later
# pyright: reportCallIssue=false
# (Numba hands intrinsics their first parameter itself.)
"""The photometric loss of 3DGS and its gradient in two sweeps over the picture.

The formulas are those of `rasterize.ssim`. The first sweep blurs y, d, d² and xy, and keeps S's
derivatives to μx, E[d²] and E[xy]; the second blurs those.

As covariance does not feel a constant, x and y enter the products less the photo's mean m. It does
at the edges, where only a share k < 1 of the window lies on the picture: there

    σxy = E[(x − m)(y − m)] − (μx − km)(μy − km) + m (1 − k)(μx + μy − km).

A row of RGB pixels is one row of numbers whose neighbours of the same channel lie three apart, so
no channel is ever taken out.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numba import prange
from numpy.typing import NDArray
from torch import Tensor

from ..interface import SSIM_C1, SSIM_C2, SSIM_REACH, SSIM_SIGMA
from .simd import LANES, inline, kernel, lane_numbers, load, splat, store, sum_lanes, where

CHANNELS = 3
TAPS = 2 * SSIM_REACH + 1


def _window() -> NDArray[np.float32]:
    profile = np.exp(-((np.arange(TAPS) - SSIM_REACH) ** 2) / (2 * SSIM_SIGMA**2))
    window = (profile / profile.sum()).astype(np.float32)
    # Rounded taps add up to 1 + 3e-8, which E[x²] − μ² would show as variance of a flat picture:
    # the smallest taps can take up the rest.
    window[[0, -1]] += np.float32((1 - window.sum(dtype=np.float64)) / 2)
    return window


WINDOW = _window()
"""(11,) the window is the outer product of this with itself."""
MARGIN = SSIM_REACH * CHANNELS
"""Zeros that a row of numbers has on either side."""
BLOCK = 8
"""Rows that a thread takes at a time."""


def photometric_loss(rgb: Tensor, target: Tensor, dssim_weight: float = 0.2) -> Tensor:
    """Return (1 − w) · L1 + w · (1 − SSIM) (Kerbl et al. 2023, eq. 7), a scalar.

    The gradient to `rgb` is computed along; `target` gets none.

    Args:
        rgb: (H, W, 3) rendered.
        target: (H, W, 3) photo in 0..1.
        dssim_weight: w, 0..1.

    Raises:
        ValueError: the pictures differ in shape or are not (H, W, 3).
    """
    return _PhotometricLoss.apply(rgb, target, dssim_weight)  # type: ignore[no-any-return]


def ssim(a: Tensor, b: Tensor) -> float:
    """Return the mean structural similarity of two pictures (H, W, 3) in 0..1; 1 is equal.

    Raises:
        ValueError: the pictures differ in shape or are not (H, W, 3).
    """
    loss, _ = _loss_and_gradient(a.detach(), b.detach(), 1.0)
    return 1.0 - loss


class _PhotometricLoss(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, rgb: Tensor, target: Tensor, dssim_weight: float) -> Tensor:
        loss, gradient = _loss_and_gradient(rgb.detach(), target.detach(), dssim_weight)
        ctx.save_for_backward(gradient.to(rgb.dtype))
        return torch.tensor(loss, dtype=rgb.dtype)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor, None, None]:  # pyright: ignore[reportIncompatibleMethodOverride]
        (gradient,) = ctx.saved_tensors
        return grad_output * gradient, None, None


def _loss_and_gradient(rgb: Tensor, target: Tensor, dssim_weight: float) -> tuple[float, Tensor]:
    if rgb.shape != target.shape or rgb.ndim != 3 or rgb.shape[2] != CHANNELS:
        raise ValueError(f"pictures must be (H, W, 3): {tuple(rgb.shape)}, {tuple(target.shape)}")
    height, width, _ = rgb.shape
    numbers = width * CHANNELS
    x = rgb.to(torch.float32).contiguous().reshape(height, numbers)
    y = target.to(torch.float32).contiguous().reshape(height, numbers)
    # Some rows tell it well enough, and not PyTorch, whose sums depend on its threads.
    center = float(y.numpy()[::8].mean()) if y.numel() else 0.0
    if numbers < LANES:  # the kernels need one vector a row
        pad = (0, LANES - numbers)
        x, y = (torch.nn.functional.pad(rows, pad, value=center) for rows in (x, y))
    x, y = x.numpy(), y.numpy()
    stride = -(-numbers // LANES) * LANES
    derivatives = np.empty((3, height, stride), np.float32)
    gradient = np.empty(x.shape, np.float32)
    similarity = np.empty(height, np.float64)
    difference = np.empty(height, np.float64)
    columns = np.ones(stride, np.float32)
    columns[:numbers] = np.repeat(_window_shares(width), CHANNELS)
    rows = _window_shares(height)
    _sweep_forward(x, y, numbers, np.float32(center), rows, columns, derivatives, similarity)
    share = dssim_weight / (height * numbers)
    rest = (1 - dssim_weight) / (height * numbers)
    _sweep_backward(
        x, y, numbers, derivatives, np.float32(share), np.float32(rest), gradient, difference
    )
    loss = dssim_weight - share * similarity.sum() + rest * difference.sum()
    image = torch.from_numpy(gradient)[:, :numbers].reshape(height, width, CHANNELS)
    return float(loss), image


def _window_shares(length: int) -> NDArray[np.float32]:
    """Return how much of the window around each of `length` places lies between the ends."""
    total = np.concatenate([[0.0], np.cumsum(WINDOW, dtype=np.float64)])
    place = np.arange(length)
    first, last = np.maximum(SSIM_REACH - place, 0), np.minimum(SSIM_REACH + length - place, TAPS)
    return (total[last] - total[first]).astype(np.float32)


@kernel
def _sweep_forward(x, y, numbers, center, row_shares, column_shares, derivatives, similarity):
    """Sum S over each row and keep its derivatives to μx, E[d²] and E[xy].

    Args:
        x: (H, n) float32 numbers of the picture, n >= LANES.
        y: (H, n) float32 numbers to compare with.
        numbers: how many of a row's n count; the others are `center`.
        center: float32, about the mean of y.
        row_shares: (H,) float32 share of the window on the picture, seen along a column.
        column_shares: (stride,) float32 the same along a row.
        derivatives: (3, H, stride) float32, written; 0 where nothing counts.
        similarity: (H,) float64, written.
    """
    height, length = x.shape
    stride = derivatives.shape[2]
    plane = height * stride
    size = MARGIN + stride + MARGIN + LANES
    for block in prange((height + BLOCK - 1) // BLOCK):
        blurred = np.zeros((4, size), np.float32)
        for row in range(block * BLOCK, min(height, (block + 1) * BLOCK)):
            first, last = max(0, row - SSIM_REACH), min(height, row + SSIM_REACH + 1)
            for position in range(0, length, LANES):
                column = min(position, length - LANES)
                mean_y = splat(0.0)
                mean_d = splat(0.0)
                square = splat(0.0)
                product = splat(0.0)
                for other in range(first, last):
                    tap = WINDOW[other - row + SSIM_REACH]
                    a = load(x, other * length + column)
                    b = load(y, other * length + column)
                    d = a - b
                    b = b - center
                    weighted_b = b * tap
                    weighted_d = d * tap
                    mean_y = mean_y + weighted_b
                    mean_d = mean_d + weighted_d
                    square = square + weighted_d * d
                    product = product + weighted_b * (b + d)
                store(blurred, MARGIN + column, mean_y)
                store(blurred, size + MARGIN + column, mean_d)
                store(blurred, 2 * size + MARGIN + column, square)
                store(blurred, 3 * size + MARGIN + column, product)
            total = splat(0.0)
            for column in range(0, stride, LANES):
                mean_y = _blur_along(blurred, column)
                mean_d = _blur_along(blurred, size + column)
                square = _blur_along(blurred, 2 * size + column)
                product = _blur_along(blurred, 3 * size + column)
                share = load(column_shares, column) * row_shares[row]
                shift = share * center
                edge = (1.0 - share) * center * (mean_y + mean_y + mean_d + shift)
                covariance = product - mean_y * (mean_y + mean_d) + edge
                mean_y = mean_y + shift
                distance = mean_d * mean_d
                a1 = mean_y * (mean_y + mean_d) * 2.0 + SSIM_C1
                a2 = covariance * 2.0 + SSIM_C2
                inverse_b1 = 1.0 / (a1 + distance)
                variance = square - distance
                inverse_b2 = 1.0 / (a2 + variance)
                luminance = a1 * inverse_b1
                structure = a2 * inverse_b2
                value = luminance * structure
                by_square = -value * inverse_b2
                by_product = luminance * variance * inverse_b2 * inverse_b2 * 2.0
                by_luminance = (mean_y * distance * inverse_b1 - mean_d * luminance) * inverse_b1
                by_mean = (
                    by_luminance * structure * 2.0 - mean_y * by_product - mean_d * by_square * 2.0
                )
                counts = lane_numbers() + float(column) < float(numbers)
                total = total + where(counts, value, 0.0)
                target = row * stride + column
                store(derivatives, target, where(counts, by_mean, 0.0))
                store(derivatives, plane + target, where(counts, by_square, 0.0))
                store(derivatives, 2 * plane + target, where(counts, by_product, 0.0))
            similarity[row] = sum_lanes(total)


@kernel
def _sweep_backward(x, y, numbers, derivatives, share, rest, gradient, difference):
    """Write the gradient of −share · ΣS + rest · Σ|x − y| and sum |x − y| over each row.

    Args:
        x: (H, n) float32 numbers of the picture, n >= LANES.
        y: (H, n) float32 numbers to compare with.
        numbers: how many of a row's n count.
        derivatives: (3, H, stride) float32 as `_sweep_forward` leaves them.
        share: float32 weight of ΣS.
        rest: float32 weight of Σ|x − y|.
        gradient: (H, n) float32, written.
        difference: (H,) float64, written.
    """
    height, length = x.shape
    stride = derivatives.shape[2]
    plane = height * stride
    size = MARGIN + stride + MARGIN + LANES
    for block in prange((height + BLOCK - 1) // BLOCK):
        blurred = np.zeros((3, size), np.float32)
        for row in range(block * BLOCK, min(height, (block + 1) * BLOCK)):
            first, last = max(0, row - SSIM_REACH), min(height, row + SSIM_REACH + 1)
            for column in range(0, stride, LANES):
                by_mean = splat(0.0)
                by_square = splat(0.0)
                by_product = splat(0.0)
                for other in range(first, last):
                    tap = WINDOW[other - row + SSIM_REACH]
                    source = other * stride + column
                    by_mean = by_mean + load(derivatives, source) * tap
                    by_square = by_square + load(derivatives, plane + source) * tap
                    by_product = by_product + load(derivatives, 2 * plane + source) * tap
                store(blurred, MARGIN + column, by_mean)
                store(blurred, size + MARGIN + column, by_square)
                store(blurred, 2 * size + MARGIN + column, by_product)
            total = splat(0.0)
            for position in range(0, length, LANES):
                column = min(position, length - LANES)
                by_mean = _blur_along(blurred, column)
                by_square = _blur_along(blurred, size + column)
                by_product = _blur_along(blurred, 2 * size + column)
                a = load(x, row * length + column)
                b = load(y, row * length + column)
                distance = a - b
                sign = where(distance > 0.0, 1.0, where(distance < 0.0, -1.0, splat(0.0)))
                by_x = by_mean + distance * by_square * 2.0 + b * by_product
                store(gradient, row * length + column, sign * rest - by_x * share)
                # The last vector may overlap the one before it.
                fresh = lane_numbers() + float(column) >= float(position)
                total = total + where(fresh, distance * sign, 0.0)
            difference[row] = sum_lanes(total)


@inline
def _blur_along(row, column):
    """Return the blur of the LANES numbers at `column` of a row with MARGIN zeros before it."""
    total = splat(0.0)
    for tap in range(TAPS):
        total = total + load(row, column + tap * CHANNELS) * WINDOW[tap]
    return total
