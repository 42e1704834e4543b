# SPDX-License-Identifier: GPL-3.0-or-later
"""Products with blending matrices on the CPU's kernels; see `rasterize.products`."""

from __future__ import annotations

import numpy as np

from ..products import Floats, Indices, Products, Starts
from .kernels.blending import blend_rows, choose_labels, scatter_rows
from .kernels.blending import copy_rows as copy_entries


def blend(starts: Starts, gaussians: Indices, weights: Floats, values: Floats) -> Floats:
    """Multiply the matrix with a value per Gaussian."""
    channels = values.shape[1]
    result = np.empty((len(starts) - 1, channels), np.float32)
    blend_rows(starts, gaussians, weights, values.reshape(-1), channels, result.reshape(-1))
    return result


def scatter(
    starts: Starts, gaussians: Indices, weights: Floats, pixel_values: Floats, count: int
) -> Floats:
    """Multiply the transposed matrix with a value per pixel."""
    channels = pixel_values.shape[1]
    result = np.zeros((count, channels), np.float32)
    scatter_rows(starts, gaussians, weights, pixel_values.reshape(-1), channels, result.reshape(-1))
    return result


def copy_rows(
    starts: Starts, gaussians: Indices, weights: Floats, rows: Starts
) -> tuple[Starts, Indices, Floats]:
    """Copy the entries of chosen rows."""
    new_starts = np.zeros(len(rows) + 1, np.int64)
    np.cumsum(starts[rows + 1] - starts[rows], out=new_starts[1:])
    new_gaussians = np.empty(new_starts[-1], np.int32)
    new_weights = np.empty(new_starts[-1], np.float32)
    copy_entries(starts, gaussians, weights, rows, new_starts, new_gaussians, new_weights)
    return new_starts, new_gaussians, new_weights


def strongest_labels(
    starts: Starts, gaussians: Indices, weights: Floats, labels: Indices
) -> Indices:
    """Blend one-hot labels and return the strongest one of each pixel."""
    strongest = np.zeros(len(starts) - 1, np.int32)
    choose_labels(starts, gaussians, weights, labels, int(labels.max(initial=0)), strongest)
    return strongest


KERNEL_PRODUCTS = Products(blend, scatter, copy_rows, strongest_labels)
