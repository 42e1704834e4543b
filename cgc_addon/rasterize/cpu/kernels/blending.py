# SPDX-License-Identifier: GPL-3.0-or-later
"""Products with a sparse matrix of blending weights, vectorised over channels."""

from __future__ import annotations

import numpy as np
from numba import njit, prange

from ..simd import LANES, inline, kernel, load, load_scalar, splat, store

_ROWS_AT_ONCE = 64
_PIXELS_AT_ONCE = 4096
"""More than there are labels, mostly: a block has sums of its own for all of them."""


@inline
def _blend_row(start, end, gaussians, weights, values, channels, row, result):
    first = 0
    while first + LANES <= channels:
        total = splat(0.0)
        for i in range(start, end):
            value = load(values, np.int64(load_scalar(gaussians, i)) * channels + first)
            total = total + value * load_scalar(weights, i)
        store(result, row * channels + first, total)
        first += LANES
    for channel in range(first, channels):
        rest = np.float32(0.0)
        for i in range(start, end):
            rest += weights[i] * values[np.int64(gaussians[i]) * channels + channel]
        result[row * channels + channel] = rest


@kernel
def blend_rows(starts, gaussians, weights, values, channels, result):
    """Multiply the matrix with a value per Gaussian.

    Args:
        starts: (P + 1,) int64.
        gaussians: (E,) int32.
        weights: (E,) float32.
        values: (N·C,) float32.
        channels: C.
        result: (P·C,) float32 out.
    """
    rows = starts.size - 1
    for block in prange((rows + _ROWS_AT_ONCE - 1) // _ROWS_AT_ONCE):
        for row in range(block * _ROWS_AT_ONCE, min(rows, (block + 1) * _ROWS_AT_ONCE)):
            _blend_row(
                starts[row], starts[row + 1], gaussians, weights, values, channels, row, result
            )


@kernel
def scatter_rows(starts, gaussians, weights, pixel_values, channels, result):
    """Multiply the transposed matrix with a value per pixel.

    Threads share the channels out among them, not the pixels: each sum has one owner and one order.

    Args:
        starts: (P + 1,) int64.
        gaussians: (E,) int32.
        weights: (E,) float32.
        pixel_values: (P·C,) float32.
        channels: C.
        result: (N·C,) float32, zero before, out.
    """
    rows = starts.size - 1
    for block in prange((channels + LANES - 1) // LANES):
        first = block * LANES
        if first + LANES <= channels:
            for row in range(rows):
                value = load(pixel_values, row * channels + first)
                for i in range(starts[row], starts[row + 1]):
                    place = np.int64(load_scalar(gaussians, i)) * channels + first
                    store(result, place, load(result, place) + value * load_scalar(weights, i))
        else:
            for row in range(rows):
                for i in range(starts[row], starts[row + 1]):
                    place = np.int64(gaussians[i]) * channels
                    for channel in range(first, channels):
                        result[place + channel] += (
                            weights[i] * pixel_values[row * channels + channel]
                        )


@kernel
def copy_rows(starts, gaussians, weights, rows, new_starts, new_gaussians, new_weights):
    """Copy the entries of chosen rows.

    Args:
        starts: (P + 1,) int64.
        gaussians: (E,) int32.
        weights: (E,) float32.
        rows: (Q,) int64, 0..P − 1.
        new_starts: (Q + 1,) int64, already the places of the chosen rows.
        new_gaussians: (F,) int32 out.
        new_weights: (F,) float32 out.
    """
    count = rows.size
    for block in prange((count + _ROWS_AT_ONCE - 1) // _ROWS_AT_ONCE):
        for row in range(block * _ROWS_AT_ONCE, min(count, (block + 1) * _ROWS_AT_ONCE)):
            source = starts[rows[row]]
            target = new_starts[row]
            for i in range(new_starts[row + 1] - target):
                new_gaussians[target + i] = gaussians[source + i]
                new_weights[target + i] = weights[source + i]


# Without the float rules of `kernel`: sums keep their order, so that equal weights stay equal.
@njit(cache=True, nogil=True, parallel=True)
def choose_labels(starts, gaussians, weights, labels, highest, strongest):
    """Find the label of the largest sum of weights in each row.

    Args:
        starts: (P + 1,) int64.
        gaussians: (E,) int32.
        weights: (E,) float32.
        labels: (N,) int32 ≥ 0.
        highest: of these labels.
        strongest: (P,) int32 out.
    """
    for block in prange((strongest.size + _PIXELS_AT_ONCE - 1) // _PIXELS_AT_ONCE):
        sums = np.zeros(highest + 1, np.float32)
        first = block * _PIXELS_AT_ONCE
        for pixel in range(first, min(strongest.size, first + _PIXELS_AT_ONCE)):
            begin, end = starts[pixel], starts[pixel + 1]
            uncovered = np.float32(1.0)
            for entry in range(begin, end):
                sums[labels[gaussians[entry]]] += weights[entry]
                uncovered -= weights[entry]
            best, most = np.int32(0), sums[0] + max(uncovered, np.float32(0.0))
            for entry in range(begin, end):
                label = labels[gaussians[entry]]
                if label > 0 and (sums[label] > most or (sums[label] == most and label < best)):
                    best, most = label, sums[label]
            for entry in range(begin, end):
                sums[labels[gaussians[entry]]] = 0.0
            sums[0] = 0.0
            strongest[pixel] = best
