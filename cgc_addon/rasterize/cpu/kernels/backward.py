# SPDX-License-Identifier: GPL-3.0-or-later
"""Gradients of blending, front to back once more.

For a pixel with upstream gradient G to its channels and T_N, the light left behind all, let
    S = Σ_j>i w_j ⟨c_j, G⟩ + T_N dL/dT_N      (what lies behind Gaussian i)
then dL/dα_i = T_i ⟨c_i, G⟩ − S / (1 − α_i). S starts as ⟨image, G⟩ + T_N dL/dT_N and loses
w_i ⟨c_i, G⟩ with every Gaussian, so neither the last Gaussian nor T_i has to be stored per pixel.
"""

from __future__ import annotations

import numpy as np
from numba import prange

from ...interface import ALPHA_LIMIT
from ..simd import (
    LANES,
    add_eight,
    inline,
    kernel,
    load,
    load_scalar,
    lowest_bit,
    splat,
    store,
    store_scalar,
    store_sums,
    sum_lanes,
    where,
)
from .ahead import fetch_ahead
from .evaluate import (
    absorb,
    capped_alpha,
    center_offsets,
    chunk_offsets,
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
    PAIR_SIZE,
    RECORD_SIZE,
    RED,
)

# A chunk's state: T, S, the upstream gradients of red, green, blue, then of the groups.
_BEHIND = 1
_COLOR = 2
_FIXED = 5


@inline
def _read_tile(tile, across, width, height, state, stride, groups, moving_groups, rgb,
               transmittance, extra_image, rgb_gradient, transmittance_gradient,
               extra_gradient):  # fmt: skip
    """Load the upstream gradients of a tile's pixels and start S."""
    channels = groups * GROUP
    for chunk in range(CHUNKS):
        for lane in range(LANES):
            x, y = pixel_of(tile, across, chunk, lane)
            place = chunk * stride + lane
            behind = np.float32(0.0)
            if x < width and y < height:
                pixel = y * width + x
                behind += load_scalar(transmittance, pixel) * load_scalar(
                    transmittance_gradient, pixel
                )
                for channel in range(3):
                    gradient = load_scalar(rgb_gradient, pixel * 3 + channel)
                    store_scalar(state, place + (_COLOR + channel) * LANES, gradient)
                    behind += gradient * load_scalar(rgb, pixel * 3 + channel)
                for channel in range(channels):
                    gradient = load_scalar(extra_gradient, pixel * channels + channel)
                    store_scalar(state, place + (_FIXED + channel) * LANES, gradient)
                    if channel < moving_groups * GROUP:
                        behind += gradient * load_scalar(extra_image, pixel * channels + channel)
            else:
                for channel in range(_COLOR, _FIXED + channels):
                    store_scalar(state, place + channel * LANES, 0.0)
            store_scalar(state, place + _BEHIND * LANES, behind)


@inline
def _group_product(state, index, extras, row):
    """Return ⟨c, G⟩ over the eight channels of a group."""
    even = load(state, index) * load_scalar(extras, row)
    odd = load(state, index + LANES) * load_scalar(extras, row + 1)
    for channel in range(2, GROUP, 2):
        even = even + load(state, index + channel * LANES) * load_scalar(extras, row + channel)
        odd = odd + load(state, index + (channel + 1) * LANES) * load_scalar(
            extras, row + channel + 1
        )
    return even + odd


@inline
def _store_group_gradient(state, group, weights, places, used, pair_gradients, out):
    """Write Σ over pixels of w · G for the eight channels of a group."""
    s0, s1, s2, s3 = splat(0.0), splat(0.0), splat(0.0), splat(0.0)
    s4, s5, s6, s7 = splat(0.0), splat(0.0), splat(0.0), splat(0.0)
    offset = (_FIXED + group * GROUP) * LANES
    for i in range(used):
        weight = load(weights, i * LANES)
        index = load_scalar(places, i) + offset
        s0 = s0 + weight * load(state, index)
        s1 = s1 + weight * load(state, index + LANES)
        s2 = s2 + weight * load(state, index + 2 * LANES)
        s3 = s3 + weight * load(state, index + 3 * LANES)
        s4 = s4 + weight * load(state, index + 4 * LANES)
        s5 = s5 + weight * load(state, index + 5 * LANES)
        s6 = s6 + weight * load(state, index + 6 * LANES)
        s7 = s7 + weight * load(state, index + 7 * LANES)
    store_sums(pair_gradients, out, s0, s1, s2, s3, s4, s5, s6, s7)


@inline
def _differentiate_tile(tile, across, width, height, records, extras, groups, moving_groups,
                        wanted_groups, start, stop, end, tile_gaussians, tile_pairs, visited, rgb,
                        transmittance, extra_image, rgb_gradient, transmittance_gradient,
                        extra_gradient, pair_gradients):  # fmt: skip
    stride = (_FIXED + groups * GROUP) * LANES
    state = np.empty(CHUNKS * stride, np.float32)
    weights = np.empty(CHUNKS * LANES, np.float32)
    places = np.empty(CHUNKS, np.int64)
    start_transmittance(tile, across, width, height, state, stride)
    _read_tile(tile, across, width, height, state, stride, groups, moving_groups, rgb,
               transmittance, extra_image, rgb_gradient, transmittance_gradient,
               extra_gradient)  # fmt: skip
    corner_x, corner_y = tile_corner(tile, across)
    lane_x, lane_y = lane_offsets()
    row_size = PAIR_SIZE + wanted_groups * GROUP
    for entry in range(start, stop):
        gaussian = np.int64(load_scalar(tile_gaussians, entry))
        record = gaussian * RECORD_SIZE
        fetch_ahead(records, tile_gaussians, entry, stop)
        offset_x, offset_y = center_offsets(corner_x, corner_y, records, record)
        half_a = load_scalar(records, record + CONIC_A) * np.float32(0.5)
        b = load_scalar(records, record + CONIC_B)
        half_c = load_scalar(records, record + CONIC_C) * np.float32(0.5)
        opacity = load_scalar(records, record + OPACITY)
        cutoff = load_scalar(records, record + CUTOFF)
        red = load_scalar(records, record + RED)
        green = load_scalar(records, record + GREEN)
        blue = load_scalar(records, record + BLUE)
        x, y = lane_x + offset_x, lane_y + offset_y
        moment, moment_x, moment_y = splat(0.0), splat(0.0), splat(0.0)
        moment_xx, moment_xy, moment_yy = splat(0.0), splat(0.0), splat(0.0)
        sum_red, sum_green, sum_blue = splat(0.0), splat(0.0), splat(0.0)
        used = 0
        chunks = load_scalar(visited, entry)
        while chunks != 0:
            chunk = lowest_bit(chunks)
            chunks &= chunks - np.uint64(1)
            chunk_x, chunk_y = chunk_offsets(chunk)
            dx, dy = x + chunk_x, y + chunk_y
            sigma = dx * (dx * half_a + dy * b) + dy * dy * half_c
            raw = raw_alpha(sigma, opacity)
            alpha = capped_alpha(raw, sigma, cutoff)
            place = chunk * stride
            before = load(state, place)
            goes_on, weight, after = absorb(before, alpha)
            store(state, place, after)
            g_red = load(state, place + _COLOR * LANES)
            g_green = load(state, place + (_COLOR + 1) * LANES)
            g_blue = load(state, place + (_COLOR + 2) * LANES)
            product = g_red * red + g_green * green + g_blue * blue
            sum_red = sum_red + g_red * weight
            sum_green = sum_green + g_green * weight
            sum_blue = sum_blue + g_blue * weight
            for group in range(moving_groups):
                product = product + _group_product(
                    state, place + (_FIXED + group * GROUP) * LANES, extras,
                    (gaussian * groups + group) * GROUP,
                )  # fmt: skip
            if wanted_groups > 0:
                store(weights, used * LANES, weight)
                places[used] = place
                used += 1
            behind = load(state, place + _BEHIND * LANES) - weight * product
            store(state, place + _BEHIND * LANES, behind)
            alpha_gradient = before * product - behind / (1.0 - alpha)
            # dα/dσ = −α, and 0 where α was capped or the ray had ended.
            counts = goes_on & (raw <= ALPHA_LIMIT)
            g = where(counts, alpha * alpha_gradient, 0.0)
            g_x, g_y = g * dx, g * dy
            moment = moment + g
            moment_x = moment_x + g_x
            moment_y = moment_y + g_y
            moment_xx = moment_xx + g_x * dx
            moment_xy = moment_xy + g_x * dy
            moment_yy = moment_yy + g_y * dy
        out = np.int64(load_scalar(tile_pairs, entry)) * row_size
        store_sums(pair_gradients, out, moment, moment_x, moment_y, moment_xx, moment_xy,
                   moment_yy, sum_red, sum_green)  # fmt: skip
        store_scalar(pair_gradients, out + 8, sum_lanes(sum_blue))
        for group in range(wanted_groups):
            _store_group_gradient(
                state, group, weights, places, used, pair_gradients, out + PAIR_SIZE + group * GROUP
            )
    for entry in range(stop, end):
        out = np.int64(tile_pairs[entry]) * row_size
        for i in range(row_size):
            pair_gradients[out + i] = 0.0


@kernel
def differentiate(records, extras, groups, moving_groups, wanted_groups, tile_starts, tile_ends,
                  tile_gaussians, tile_pairs, visited, across, width, height, rgb, transmittance,
                  extra_image, rgb_gradient, transmittance_gradient, extra_gradient,
                  pair_gradients):  # fmt: skip
    """Write the gradient of every (Gaussian, tile) pair.

    Args:
        records: (N·16,) see layout.
        extras: (N·groups·8,).
        groups: groups of eight channels beyond RGB.
        moving_groups: how many of them, from the first, have gradients that reach the geometry.
        wanted_groups: how many of them, from the first, get gradients themselves.
        tile_starts: (tiles + 1,) int64.
        tile_ends: (tiles,) int64, from `draw`.
        tile_gaussians: (pairs,) int32.
        tile_pairs: (pairs,) int32.
        visited: (pairs,) uint64, from `draw`.
        across: tiles in a row of the image.
        width: of the image, px.
        height: of the image, px.
        rgb: (H·W·3,) as drawn.
        transmittance: (H·W,) as drawn.
        extra_image: (H·W·groups·8,) as drawn.
        rgb_gradient: (H·W·3,) upstream.
        transmittance_gradient: (H·W,) upstream, without what comes through the background.
        extra_gradient: (H·W·groups·8,) upstream.
        pair_gradients: (pairs·(9 + wanted_groups·8),) out, see layout; Gaussian by Gaussian.
    """
    for index in prange(tile_ends.size):
        tile = np.int64(index)  # prange counts in uint64
        _differentiate_tile(
            tile, across, width, height, records, extras, groups, moving_groups, wanted_groups,
            tile_starts[tile],
            tile_ends[tile], tile_starts[tile + 1], tile_gaussians, tile_pairs, visited, rgb,
            transmittance,
            extra_image, rgb_gradient, transmittance_gradient, extra_gradient, pair_gradients,
        )  # fmt: skip


@inline
def _sum_part(first, last, records, order, pair_starts, groups, pair_gradients, means2d_gradient,
              records_gradient, extras_gradient):  # fmt: skip
    row_size = PAIR_SIZE + groups * GROUP
    half = np.float32(0.5)
    total = np.empty(row_size, np.float32)
    for rank in range(first, last):
        fetch_ahead(records, order, rank, last)
        for i in range(row_size):
            total[i] = 0.0
        for pair in range(load_scalar(pair_starts, rank), load_scalar(pair_starts, rank + 1)):
            place = pair * row_size
            add_eight(total, 0, pair_gradients, place)
            total[8] += load_scalar(pair_gradients, place + 8)
            for group in range(groups):
                column = PAIR_SIZE + group * GROUP
                add_eight(total, column, pair_gradients, place + column)
        gaussian = np.int64(load_scalar(order, rank))
        out = gaussian * RECORD_SIZE
        a, b = load_scalar(records, out + CONIC_A), load_scalar(records, out + CONIC_B)
        c = load_scalar(records, out + CONIC_C)
        means2d_gradient[2 * gaussian] = a * total[1] + b * total[2]
        means2d_gradient[2 * gaussian + 1] = b * total[1] + c * total[2]
        records_gradient[out + CONIC_A] = -half * total[3]
        records_gradient[out + CONIC_B] = -total[4]
        records_gradient[out + CONIC_C] = -half * total[5]
        records_gradient[out + OPACITY] = total[0] / load_scalar(records, out + OPACITY)
        records_gradient[out + RED] = total[6]
        records_gradient[out + GREEN] = total[7]
        records_gradient[out + BLUE] = total[8]
        for group in range(groups):
            place = (gaussian * groups + group) * GROUP
            add_eight(extras_gradient, place, total, PAIR_SIZE + group * GROUP)


@kernel
def sum_pairs(records, order, pair_starts, count, groups, parts, pair_gradients, means2d_gradient,
              records_gradient, extras_gradient):  # fmt: skip
    """Add up each Gaussian's pairs and turn moments into gradients of its record.

    With d = pixel − centre and g = −dL/dσ: dL/dmean = K Σ g d, dL/da = −½ Σ g dx²,
    dL/db = −Σ g dx dy, dL/dc = −½ Σ g dy², dL/dopacity = Σ g / opacity.

    Args:
        records: (N·16,).
        order: (N,) int32, its first `count` are drawn.
        pair_starts: (count + 1,) int64, first pair of each of them.
        count: how many are drawn.
        groups: groups of eight channels beyond RGB that get gradients.
        parts: pieces for the threads.
        pair_gradients: (pairs·(9 + groups·8),).
        means2d_gradient: (N·2,) out; left as it was where not drawn, like the next two.
        records_gradient: (N·16,) out.
        extras_gradient: (N·groups·8,) out, zero before.
    """
    for index in prange(parts):
        part = np.int64(index)  # prange counts in uint64
        first, last = count * part // parts, count * (part + 1) // parts
        _sum_part(first, last, records, order, pair_starts, groups, pair_gradients,
                  means2d_gradient, records_gradient, extras_gradient)  # fmt: skip
