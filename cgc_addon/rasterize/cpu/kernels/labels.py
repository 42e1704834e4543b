# SPDX-License-Identifier: GPL-3.0-or-later
"""Rendering of labels: one plane of weights per label that a tile holds, then the strongest."""

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
    splat,
    store,
    where,
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
    CHUNKS,
    CONIC_A,
    CONIC_B,
    CONIC_C,
    CUTOFF,
    OPACITY,
    RECORD_SIZE,
)


@inline
def _labels_of_tile(start, end, tile_gaussians, labels, present, planes):
    """Number the labels of a tile, smallest first, label 0 always among them; return how many.

    Args:
        start: first entry of the tile's list.
        end: behind its last.
        tile_gaussians: (pairs,) int32.
        labels: (N,) int32, 0..L − 1.
        present: (L,) int32 out, the tile's labels in ascending order come first.
        planes: (L,) int32 out, the number of each label that is there.
    """
    for label in range(planes.size):
        planes[label] = -1
    planes[0] = 0
    for entry in range(start, end):
        planes[labels[tile_gaussians[entry]]] = 0
    count = 0
    for label in range(planes.size):
        if planes[label] == 0:
            planes[label] = count
            present[count] = label
            count += 1
    return count


@inline
def _write_strongest(tile, across, width, height, state, stride, count, present, out_labels,
                     out_weights):  # fmt: skip
    numbers = np.empty(LANES, np.float32)
    best_weights = np.empty(LANES, np.float32)
    for chunk in range(CHUNKS):
        place = chunk * stride
        light = load(state, place)
        # Label 0 also gets what no Gaussian covers.
        best = load(state, place + LANES) + where(light < 0.0, -light, light)
        number = splat(0.0)
        for plane in range(1, count):
            weight = load(state, place + (1 + plane) * LANES)
            stronger = weight > best
            best = where(stronger, weight, best)
            number = where(stronger, np.float32(plane), number)
        store(numbers, 0, number)
        store(best_weights, 0, best)
        for lane in range(LANES):
            x, y = pixel_of(tile, across, chunk, lane)
            if x < width and y < height:
                out_labels[y * width + x] = present[np.int64(numbers[lane])]
                out_weights[y * width + x] = best_weights[lane]


@inline
def _label_tile(tile, across, width, height, records, labels, label_count, start, end,
                tile_gaussians, out_labels, out_weights):  # fmt: skip
    present = np.empty(label_count, np.int32)
    planes = np.empty(label_count, np.int32)
    count = _labels_of_tile(start, end, tile_gaussians, labels, present, planes)
    # A chunk's state: T, then the weight of each of the tile's labels.
    stride = (1 + count) * LANES
    state = np.zeros(CHUNKS * stride, np.float32)
    alive = start_transmittance(tile, across, width, height, state, stride)
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
        plane = (1 + np.int64(planes[labels[gaussian]])) * LANES
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
            store(state, place + plane, load(state, place + plane) + weight)
            if not any_lane(after > 0.0):
                alive &= ~(np.uint64(1) << np.uint64(chunk))
    _write_strongest(tile, across, width, height, state, stride, count, present, out_labels,
                     out_weights)  # fmt: skip


@kernel
def draw_labels(records, labels, label_count, tile_starts, tile_gaussians, across, width, height,
                out_labels, out_weights):  # fmt: skip
    """Blend one-hot labels and keep each pixel's strongest.

    Args:
        records: (N·16,) see layout.
        labels: (N,) int32, 0..L − 1; equal weights go to the smaller one.
        label_count: L ≥ 1.
        tile_starts: (tiles + 1,) int64.
        tile_gaussians: (pairs,) int32.
        across: tiles in a row of the image.
        width: of the image, px.
        height: of the image, px.
        out_labels: (H·W,) int32 out.
        out_weights: (H·W,) float32 out.
    """
    for index in prange(tile_starts.size - 1):
        tile = np.int64(index)  # prange counts in uint64
        _label_tile(
            tile, across, width, height, records, labels, label_count, tile_starts[tile],
            tile_starts[tile + 1], tile_gaussians, out_labels, out_weights,
        )  # fmt: skip
