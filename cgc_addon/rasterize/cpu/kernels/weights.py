# SPDX-License-Identifier: GPL-3.0-or-later
"""Which Gaussians make up chosen pixels, and with which weights."""

from __future__ import annotations

import numpy as np
from numba import prange

from ..simd import LANES, any_lane, inline, kernel, load, load_scalar, lowest_bit, mask_bits, store
from .ahead import fetch_ahead
from .evaluate import (
    absorb,
    capped_alpha,
    center_offsets,
    chunk_offsets,
    chunks_touched,
    lane_offsets,
    pixel_of,
    raw_alpha,
    tile_corner,
)
from .layout import (
    CHUNKS,
    CONIC_A,
    CONIC_B,
    CONIC_C,
    CUTOFF,
    OPACITY,
    RECORD_SIZE,
)


@inline
def _start_chosen(tile, across, width, height, pixel_rows, light, rows):
    """Set T to 1 at chosen pixels and to −1, done, at all others; return the chunks alive."""
    alive = np.uint64(0)
    for chunk in range(CHUNKS):
        for lane in range(LANES):
            x, y = pixel_of(tile, across, chunk, lane)
            row = np.int32(-1)
            if x < width and y < height:
                row = pixel_rows[y * width + x]
            rows[chunk * LANES + lane] = row
            light[chunk * LANES + lane] = 1.0 if row >= 0 else -1.0
            if row >= 0:
                alive |= np.uint64(1) << np.uint64(chunk)
    return alive


@inline
def _walk_tile(tile, across, width, height, records, start, end, tile_gaussians, pixel_rows,
               minimum, places, gaussians, weights):  # fmt: skip
    light = np.empty(CHUNKS * LANES, np.float32)
    lane_weights = np.empty(LANES, np.float32)
    rows = np.empty(CHUNKS * LANES, np.int32)
    alive = _start_chosen(tile, across, width, height, pixel_rows, light, rows)
    corner_x, corner_y = tile_corner(tile, across)
    lane_x, lane_y = lane_offsets()
    fill = gaussians.size > 0
    entry = start
    while entry < end and alive != 0:
        gaussian = np.int64(load_scalar(tile_gaussians, entry))
        fetch_ahead(records, tile_gaussians, entry, end)
        entry += 1
        record = gaussian * RECORD_SIZE
        offset_x, offset_y = center_offsets(corner_x, corner_y, records, record)
        chunks = chunks_touched(offset_x, offset_y, records, record) & alive
        half_a = load_scalar(records, record + CONIC_A) * np.float32(0.5)
        b = load_scalar(records, record + CONIC_B)
        half_c = load_scalar(records, record + CONIC_C) * np.float32(0.5)
        opacity = load_scalar(records, record + OPACITY)
        cutoff = load_scalar(records, record + CUTOFF)
        x, y = lane_x + offset_x, lane_y + offset_y
        while chunks != 0:
            chunk = lowest_bit(chunks)
            chunks &= chunks - np.uint64(1)
            chunk_x, chunk_y = chunk_offsets(chunk)
            dx, dy = x + chunk_x, y + chunk_y
            sigma = dx * (dx * half_a + dy * b) + dy * dy * half_c
            alpha = capped_alpha(raw_alpha(sigma, opacity), sigma, cutoff)
            _goes_on, weight, after = absorb(load(light, chunk * LANES), alpha)
            store(light, chunk * LANES, after)
            bits = np.uint64(mask_bits(weight > minimum))
            if bits != 0:
                store(lane_weights, 0, weight)
            while bits != 0:
                lane = lowest_bit(bits)
                bits &= bits - np.uint64(1)
                row = rows[chunk * LANES + lane]
                place = places[row]
                places[row] = place + 1
                if fill:
                    gaussians[place] = gaussian
                    weights[place] = lane_weights[lane]
            if not any_lane(after > 0.0):
                alive &= ~(np.uint64(1) << np.uint64(chunk))


@kernel
def list_weights(records, tile_starts, tile_gaussians, across, width, height, pixel_rows, minimum,
                 places, gaussians, weights):  # fmt: skip
    """List what makes up chosen pixels, front to back, or count it.

    Args:
        records: (N·16,) see layout.
        tile_starts: (tiles + 1,) int64.
        tile_gaussians: (pairs,) int32.
        across: tiles in a row of the image.
        width: of the image, px.
        height: of the image, px.
        pixel_rows: (H·W,) int32, the number of a chosen pixel, −1 at the others.
        minimum: float32, weights at or below it are left out.
        places: (P,) int64 in and out: where the next entry of a chosen pixel goes.
        gaussians: (E,) int32 out; when empty, nothing is listed and `places` moves on all the same.
        weights: (E,) float32 out.
    """
    for index in prange(tile_starts.size - 1):
        tile = np.int64(index)  # prange counts in uint64
        _walk_tile(
            tile, across, width, height, records, tile_starts[tile], tile_starts[tile + 1],
            tile_gaussians, pixel_rows, minimum, places, gaussians, weights,
        )  # fmt: skip
