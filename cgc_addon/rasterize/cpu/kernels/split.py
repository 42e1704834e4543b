# SPDX-License-Identifier: GPL-3.0-or-later
"""Blending front to back, and what lies before a limit of depth in each pixel on its own."""

from __future__ import annotations

import numpy as np
from numba import prange

from ..simd import LANES, any_lane, inline, kernel, load, load_scalar, lowest_bit, store
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
    start_transmittance,
    tile_corner,
)
from .layout import (
    BLUE,
    CHUNKS,
    CONIC_A,
    CONIC_B,
    CONIC_C,
    CUTOFF,
    DEPTH,
    GREEN,
    OPACITY,
    RECORD_SIZE,
    RED,
)

# A chunk's state: T, red, green, blue; the same as they were at the limit; the limit, or _PASSED.
_VALUES = 4
_FRONT = _VALUES
_LIMIT = 2 * _VALUES
_STRIDE = (_LIMIT + 1) * LANES
_PASSED = np.float32(-1.0)
_FARTHEST = np.float32(np.finfo(np.float32).max)


@inline
def _add(state, index, weight, value):
    store(state, index, load(state, index) + weight * value)


@inline
def _start_limits(tile, across, width, height, limits, state, nearest):
    """Set the limits of a tile's pixels, and the nearest one of each of its chunks."""
    for chunk in range(CHUNKS):
        nearest[chunk] = _FARTHEST
        for lane in range(LANES):
            x, y = pixel_of(tile, across, chunk, lane)
            limit = _PASSED
            if x < width and y < height:
                limit = limits[y * width + x]
                nearest[chunk] = min(nearest[chunk], limit)
            state[chunk * _STRIDE + _LIMIT * LANES + lane] = limit


@inline
def _pass_limits(state, place, depth):
    """Keep what is blended so far where the limit is not beyond `depth`; return the next limit.

    Gaussians come front to back, so a pixel passes its limit once: what it has then is its front.
    """
    nearest = _FARTHEST
    for lane in range(LANES):
        limit = state[place + _LIMIT * LANES + lane]
        if limit > depth:
            nearest = min(nearest, limit)
        elif limit >= 0.0:
            state[place + _LIMIT * LANES + lane] = _PASSED
            for value in range(_VALUES):
                state[place + (_FRONT + value) * LANES + lane] = state[place + value * LANES + lane]
    return nearest


@inline
def _write_tile(tile, across, width, height, state, front_rgb, front_alpha, back_rgb,
                back_alpha):  # fmt: skip
    for chunk in range(CHUNKS):
        for lane in range(LANES):
            x, y = pixel_of(tile, across, chunk, lane)
            if x < width and y < height:
                whole = chunk * _STRIDE + lane
                passed = state[whole + _LIMIT * LANES] < 0.0
                front = whole + (_FRONT * LANES if passed else 0)
                pixel = y * width + x
                light = abs(state[front])
                front_alpha[pixel] = np.float32(1.0) - light
                back_alpha[pixel] = light - abs(state[whole])
                for channel in range(3):
                    before = state[front + (1 + channel) * LANES]
                    front_rgb[pixel * 3 + channel] = before
                    back_rgb[pixel * 3 + channel] = state[whole + (1 + channel) * LANES] - before


@inline
def _split_tile(tile, across, width, height, records, start, end, tile_gaussians, limits,
                front_rgb, front_alpha, back_rgb, back_alpha):  # fmt: skip
    state = np.zeros(CHUNKS * _STRIDE, np.float32)
    nearest = np.empty(CHUNKS, np.float32)
    alive = start_transmittance(tile, across, width, height, state, _STRIDE)
    _start_limits(tile, across, width, height, limits, state, nearest)
    corner_x, corner_y = tile_corner(tile, across)
    lane_x, lane_y = lane_offsets()
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
        depth = load_scalar(records, record + DEPTH)
        red = load_scalar(records, record + RED)
        green = load_scalar(records, record + GREEN)
        blue = load_scalar(records, record + BLUE)
        x, y = lane_x + offset_x, lane_y + offset_y
        while chunks != 0:
            chunk = lowest_bit(chunks)
            chunks &= chunks - np.uint64(1)
            place = chunk * _STRIDE
            if depth >= nearest[chunk]:
                nearest[chunk] = _pass_limits(state, place, depth)
            chunk_x, chunk_y = chunk_offsets(chunk)
            dx, dy = x + chunk_x, y + chunk_y
            sigma = dx * (dx * half_a + dy * b) + dy * dy * half_c
            alpha = capped_alpha(raw_alpha(sigma, opacity), sigma, cutoff)
            _goes_on, weight, after = absorb(load(state, place), alpha)
            store(state, place, after)
            _add(state, place + LANES, weight, red)
            _add(state, place + 2 * LANES, weight, green)
            _add(state, place + 3 * LANES, weight, blue)
            if not any_lane(after > 0.0):
                alive &= ~(np.uint64(1) << np.uint64(chunk))
    _write_tile(tile, across, width, height, state, front_rgb, front_alpha, back_rgb, back_alpha)


@kernel
def draw_split(records, tile_starts, tile_gaussians, across, width, height, limits, front_rgb,
               front_alpha, back_rgb, back_alpha):  # fmt: skip
    """Draw all tiles, and what lies before each pixel's limit.

    Args:
        records: (N·16,) see layout.
        tile_starts: (tiles + 1,) int64.
        tile_gaussians: (pairs,) int32.
        across: tiles in a row of the image.
        width: of the image, px.
        height: of the image, px.
        limits: (H·W,) float32, 0 to the largest finite number: Gaussians nearer are in front.
        front_rgb: (H·W·3,) out, colour of those in front.
        front_alpha: (H·W,) out, the sum of their weights.
        back_rgb: (H·W·3,) out, colour of all others.
        back_alpha: (H·W,) out.
    """
    for index in prange(tile_starts.size - 1):
        tile = np.int64(index)  # prange counts in uint64
        _split_tile(
            tile, across, width, height, records, tile_starts[tile], tile_starts[tile + 1],
            tile_gaussians, limits, front_rgb, front_alpha, back_rgb, back_alpha,
        )  # fmt: skip
