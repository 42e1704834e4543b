# SPDX-License-Identifier: GPL-3.0-or-later
"""Blending front to back: one tile at a time, one Gaussian after the other, a chunk at once."""

from __future__ import annotations

import numpy as np
from numba import prange

from ..simd import (
    LANES,
    any_lane,
    inline,
    kernel,
    load,
    load_scalar,
    lowest_bit,
    store,
    store_scalar,
)
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
    GREEN,
    GROUP,
    OPACITY,
    RECORD_SIZE,
    RED,
)

# A chunk's state: T, red, green, blue, then the groups of further channels.
_FIXED = 4


@inline
def _add(state, index, weight, value):
    store(state, index, load(state, index) + weight * value)


@inline
def _blend_group(state, index, weight, extras, row):
    """Add weight · value to the eight channels of a group."""
    for channel in range(GROUP):
        _add(state, index + channel * LANES, weight, load_scalar(extras, row + channel))


@inline
def _write_tile(tile, across, width, height, state, stride, groups, background, rgb,
                transmittance, extra_image):  # fmt: skip
    channels = groups * GROUP
    red, green, blue = background[0], background[1], background[2]
    for chunk in range(CHUNKS):
        for lane in range(LANES):
            x, y = pixel_of(tile, across, chunk, lane)
            if x < width and y < height:
                source = chunk * stride + lane
                pixel = y * width + x
                left = abs(load_scalar(state, source))
                store_scalar(transmittance, pixel, left)
                out = pixel * 3
                store_scalar(rgb, out, load_scalar(state, source + LANES) + left * red)
                store_scalar(rgb, out + 1, load_scalar(state, source + 2 * LANES) + left * green)
                store_scalar(rgb, out + 2, load_scalar(state, source + 3 * LANES) + left * blue)
                for channel in range(channels):
                    value = load_scalar(state, source + (_FIXED + channel) * LANES)
                    store_scalar(extra_image, pixel * channels + channel, value)


@inline
def _draw_tile(tile, across, width, height, records, extras, groups, start, end, tile_gaussians,
               background, rgb, transmittance, extra_image, visited):  # fmt: skip
    """Draw one tile; return the entry of its list behind the last one that was looked at."""
    stride = (_FIXED + groups * GROUP) * LANES
    state = np.zeros(CHUNKS * stride, np.float32)
    alive = start_transmittance(tile, across, width, height, state, stride)
    corner_x, corner_y = tile_corner(tile, across)
    lane_x, lane_y = lane_offsets()
    entry = start
    while entry < end and alive != 0:
        gaussian = np.int64(load_scalar(tile_gaussians, entry))
        record = gaussian * RECORD_SIZE
        fetch_ahead(records, tile_gaussians, entry, end)
        offset_x, offset_y = center_offsets(corner_x, corner_y, records, record)
        chunks = chunks_touched(offset_x, offset_y, records, record) & alive
        visited[entry] = chunks
        entry += 1
        half_a = load_scalar(records, record + CONIC_A) * np.float32(0.5)
        b = load_scalar(records, record + CONIC_B)
        half_c = load_scalar(records, record + CONIC_C) * np.float32(0.5)
        opacity = load_scalar(records, record + OPACITY)
        cutoff = load_scalar(records, record + CUTOFF)
        red = load_scalar(records, record + RED)
        green = load_scalar(records, record + GREEN)
        blue = load_scalar(records, record + BLUE)
        x, y = lane_x + offset_x, lane_y + offset_y
        while chunks != 0:
            chunk = lowest_bit(chunks)
            chunks &= chunks - np.uint64(1)
            chunk_x, chunk_y = chunk_offsets(chunk)
            dx, dy = x + chunk_x, y + chunk_y
            sigma = dx * (dx * half_a + dy * b) + dy * dy * half_c
            alpha = capped_alpha(raw_alpha(sigma, opacity), sigma, cutoff)
            place = chunk * stride
            _goes_on, weight, after = absorb(load(state, place), alpha)
            store(state, place, after)
            _add(state, place + LANES, weight, red)
            _add(state, place + 2 * LANES, weight, green)
            _add(state, place + 3 * LANES, weight, blue)
            for group in range(groups):
                _blend_group(
                    state, place + (_FIXED + group * GROUP) * LANES, weight, extras,
                    (gaussian * groups + group) * GROUP,
                )  # fmt: skip
            if not any_lane(after > 0.0):
                alive &= ~(np.uint64(1) << np.uint64(chunk))
    _write_tile(tile, across, width, height, state, stride, groups, background, rgb,
                transmittance, extra_image)  # fmt: skip
    return entry


@kernel
def draw(records, extras, groups, tile_starts, tile_gaussians, across, width, height, background,
         rgb, transmittance, extra_image, tile_ends, visited):  # fmt: skip
    """Draw all tiles.

    Args:
        records: (N·16,) see layout.
        extras: (N·groups·8,) values of the channels beyond RGB.
        groups: G, how many groups of eight channels there are beyond RGB.
        tile_starts: (tiles + 1,) int64.
        tile_gaussians: (pairs,) int32.
        across: tiles in a row of the image.
        width: of the image, px.
        height: of the image, px.
        background: (3,) colour.
        rgb: (H·W·3,) out.
        transmittance: (H·W,) out, what is left of the light behind everything.
        extra_image: (H·W·groups·8,) out.
        tile_ends: (tiles,) int64 out, where in its list a tile's last pixel was done.
        visited: (pairs,) uint64 out, the chunks that each entry was drawn on; not written for
            entries behind `tile_ends`.
    """
    for index in prange(tile_ends.size):
        tile = np.int64(index)  # prange counts in uint64
        tile_ends[tile] = _draw_tile(
            tile, across, width, height, records, extras, groups, tile_starts[tile],
            tile_starts[tile + 1], tile_gaussians, background, rgb, transmittance, extra_image,
            visited,
        )  # fmt: skip
