# SPDX-License-Identifier: GPL-3.0-or-later
"""Which Gaussians touch which tile, front to back: a radix sort, then a counting sort.

Sorting the Gaussians once and then distributing them in that order costs a fraction of sorting all
(tile, depth) pairs, as GPU rasterizers do.
"""

from __future__ import annotations

import math

import numpy as np
from numba import prange

from ..simd import inline, kernel, load_scalar, serial_kernel, store_scalar
from .ahead import fetch_ahead
from .layout import (
    CONIC_A,
    CONIC_B,
    CONIC_C,
    CUTOFF,
    EXTENT_X,
    EXTENT_Y,
    INVERSE_A,
    MEAN_X,
    MEAN_Y,
    RECORD_SIZE,
    TILE,
    TIP,
)

_DIGIT_BITS = 11
_DIGITS = 1 << _DIGIT_BITS
_PASSES = 3

MAXIMUM_TILES = (1 << 12) - 1
"""Tiles across or down that a packed span can name: images up to 65520 px a side."""


@serial_kernel
def sort_by_depth(depths, order, keys, spare_order, spare_keys):
    """Write the indices of the Gaussians to draw to `order`, nearest first; return how many.

    A stable radix sort on the bits of positive floats, which order like integers.

    Args:
        depths: (N,) float32, > 0, infinite where not drawn.
        order: (N,) int32 out.
        keys: (N,) uint32 scratch.
        spare_order: (N,) int32 scratch.
        spare_keys: (N,) uint32 scratch.
    """
    bits = depths.view(np.uint32)
    count = 0
    for i in range(depths.size):
        if bits[i] < np.uint32(0x7F800000):
            keys[count] = bits[i]
            order[count] = i
            count += 1
    digit_mask = np.uint32(_DIGITS - 1)
    histograms = np.zeros((_PASSES, _DIGITS), np.int64)
    for i in range(count):
        key = keys[i]
        for step in range(_PASSES):
            histograms[step, (key >> np.uint32(_DIGIT_BITS * step)) & digit_mask] += 1
    source, target = keys, spare_keys
    source_order, target_order = order, spare_order
    for step in range(_PASSES):
        total = 0
        for digit in range(_DIGITS):
            here = histograms[step, digit]
            histograms[step, digit] = total
            total += here
        shift = np.uint32(_DIGIT_BITS * step)
        for i in range(count):
            key = source[i]
            digit = (key >> shift) & digit_mask
            place = histograms[step, digit]
            histograms[step, digit] = place + 1
            target[place] = key
            target_order[place] = source_order[i]
        source, target = target, source
        source_order, target_order = target_order, source_order
    for i in range(count):
        order[i] = source_order[i]
    return count


@inline
def _tile_range(center, extent, tiles):
    """Return the first and last tile whose pixel centres center ± extent may cover, one axis."""
    low = math.floor((center - extent - np.float32(0.5)) * np.float32(1.0 / TILE))
    high = math.floor((center + extent - np.float32(0.5)) * np.float32(1.0 / TILE))
    return max(0, low), min(tiles - 1, high)


@inline
def _row_span(records, record, y_low, y_high):
    """Return how far an ellipse reaches left and right of its centre between two heights, px.

    See `evaluate.chunks_touched`, which does the same for chunks.
    """
    a, b = load_scalar(records, record + CONIC_A), load_scalar(records, record + CONIC_B)
    inverse, tip = load_scalar(records, record + INVERSE_A), load_scalar(records, record + TIP)
    extent_y = load_scalar(records, record + EXTENT_Y)
    curvature = b * b - a * load_scalar(records, record + CONIC_C)
    level = a * load_scalar(records, record + CUTOFF) * np.float32(2.0)
    margin = load_scalar(records, record + EXTENT_X) * np.float32(1e-3) + np.float32(0.01)
    low, high = max(y_low, -extent_y), min(y_high, extent_y)
    y = min(max(tip, low), high)
    reach = math.sqrt(max(np.float32(0.0), y * y * curvature + level))
    right = (reach - b * y) * inverse + margin
    y = min(max(-tip, low), high)
    reach = math.sqrt(max(np.float32(0.0), y * y * curvature + level))
    left = (-reach - b * y) * inverse - margin
    return left, right


@inline
def _count_part(start, end, records, order, across, down, tile_counts, pair_starts, spans, span):
    """Find the spans of some ranks; return their pairs and the place behind their last span."""
    pairs = 0
    for rank in range(start, end):
        store_scalar(pair_starts, rank, pairs)
        fetch_ahead(records, order, rank, end)
        record = np.int64(load_scalar(order, rank)) * RECORD_SIZE
        x = load_scalar(records, record + MEAN_X)
        y = load_scalar(records, record + MEAN_Y)
        left, right = _tile_range(x, load_scalar(records, record + EXTENT_X), across)
        top, bottom = _tile_range(y, load_scalar(records, record + EXTENT_Y), down)
        for row in range(top, bottom + 1):
            first, last = left, right
            if left < right and top < bottom:
                y_low = np.float32(row * TILE) + np.float32(0.5) - y
                reach_left, reach_right = _row_span(
                    records, record, y_low, y_low + np.float32(TILE - 1)
                )
                low = (x + reach_left - np.float32(0.5)) * np.float32(1.0 / TILE)
                high = (x + reach_right - np.float32(0.5)) * np.float32(1.0 / TILE)
                first, last = max(left, math.floor(low)), min(right, math.floor(high))
                if first > last:
                    continue
            packed = (
                (np.uint64(rank) << np.uint64(36))
                | (np.uint64(row) << np.uint64(24))
                | (np.uint64(first) << np.uint64(12))
                | np.uint64(last)
            )
            store_scalar(spans, span, packed)
            span += 1
            pairs += last - first + 1
            for column in range(first, last + 1):
                tile = row * across + column
                store_scalar(tile_counts, tile, load_scalar(tile_counts, tile) + 1)
    return pairs, span


@kernel
def count_pairs(records, order, count, across, down, parts, row_bounds, tile_counts, pair_starts,
                part_pairs, spans, span_counts):  # fmt: skip
    """Find the spans of tiles that each Gaussian touches, a span being neighbours in one tile row.

    Args:
        records: (N·16,) see layout.
        order: (N,) int32, see `sort_by_depth`; the first `count` are read.
        count: M Gaussians to draw.
        across: tiles in a row of the image.
        down: tiles in a column.
        parts: pieces of `order` that are handled at the same time.
        row_bounds: (parts + 1,) int64, where each part's spans may start, see `bound_spans`.
        tile_counts: (parts, tiles) int32 out, zero before: pairs of each part in each tile.
        pair_starts: (M + 1,) int64 out, pairs before each Gaussian, counted from its part's first.
        part_pairs: (parts,) int64 out.
        spans: (row_bounds[parts],) uint64 out: rank, row, first and last column packed.
        span_counts: (parts,) int64 out.
    """
    for index in prange(parts):
        part = np.int64(index)  # prange counts in uint64
        first, last = count * part // parts, count * (part + 1) // parts
        pairs, end = _count_part(first, last, records, order, across, down, tile_counts[part],
                                 pair_starts, spans, row_bounds[part])  # fmt: skip
        part_pairs[part] = pairs
        span_counts[part] = end - row_bounds[part]


@inline
def _rows_of_part(start, end, records, order, down):
    rows = 0
    for rank in range(start, end):
        fetch_ahead(records, order, rank, end)
        record = np.int64(load_scalar(order, rank)) * RECORD_SIZE
        y = load_scalar(records, record + MEAN_Y)
        extent = load_scalar(records, record + EXTENT_Y)
        top, bottom = _tile_range(y, extent, down)
        rows += max(0, bottom - top + 1)
    return rows


@kernel
def bound_spans(records, order, count, down, parts, row_bounds):
    """Write an upper bound of the spans before each part to `row_bounds` (parts + 1,) int64."""
    for index in prange(parts):
        part = np.int64(index)  # prange counts in uint64
        first, last = count * part // parts, count * (part + 1) // parts
        row_bounds[part + 1] = _rows_of_part(first, last, records, order, down)
    row_bounds[0] = 0
    for part in range(parts):
        row_bounds[part + 1] += row_bounds[part]


@serial_kernel
def place_tiles(tile_counts, part_pairs, pair_starts, count, tile_starts):
    """Turn counts into places: of each tile, of each part within a tile, of each part's pairs.

    Args:
        tile_counts: (parts, tiles) int32 in, int32 out: where the part's first pair of a tile goes.
        part_pairs: (parts,) int64 in: pairs of the part, out: pairs before it.
        pair_starts: (M + 1,) int64, its last element is set.
        count: M.
        tile_starts: (tiles + 1,) int64 out.
    """
    parts, tiles = tile_counts.shape
    total = 0
    for tile in range(tiles):
        tile_starts[tile] = total
        for part in range(parts):
            here = tile_counts[part, tile]
            tile_counts[part, tile] = total
            total += here
    tile_starts[tiles] = total
    total = 0
    for part in range(parts):
        here = part_pairs[part]
        part_pairs[part] = total
        total += here
    pair_starts[count] = total


@inline
def _fill_part(start, end, order, across, tile_places, pair, spans, tile_gaussians, tile_pairs):
    twelve_bits = np.uint64(0xFFF)
    for i in range(start, end):
        span = load_scalar(spans, i)
        gaussian = load_scalar(order, np.int64(span >> np.uint64(36)))
        row = np.int64((span >> np.uint64(24)) & twelve_bits)
        first = np.int64((span >> np.uint64(12)) & twelve_bits)
        for column in range(first, np.int64(span & twelve_bits) + 1):
            tile = row * across + column
            place = load_scalar(tile_places, tile)
            store_scalar(tile_places, tile, place + 1)
            store_scalar(tile_gaussians, place, gaussian)
            store_scalar(tile_pairs, place, pair)
            pair += 1


@kernel
def fill_tiles(order, count, across, parts, row_bounds, tile_places, pair_starts, part_starts,
               spans, span_counts, tile_gaussians, tile_pairs):  # fmt: skip
    """List the pairs of each tile, front to back.

    Args:
        order: (N,) int32.
        count: M.
        across: tiles in a row of the image.
        parts: as in `count_pairs`.
        row_bounds: (parts + 1,) int64.
        tile_places: (parts, tiles) int32, from `place_tiles`; moved on.
        pair_starts: (M + 1,) int64 in: from the part's first pair, out: from the first of all.
        part_starts: (parts,) int64, from `place_tiles`.
        spans: from `count_pairs`.
        span_counts: (parts,) int64.
        tile_gaussians: (pairs,) int32 out: the Gaussian of each entry, tile by tile.
        tile_pairs: (pairs,) int32 out: the entry's number when counted Gaussian by Gaussian.
    """
    for index in prange(parts):
        part = np.int64(index)  # prange counts in uint64
        first, last = count * part // parts, count * (part + 1) // parts
        for rank in range(first, last):
            pair_starts[rank] += part_starts[part]
        _fill_part(row_bounds[part], row_bounds[part] + span_counts[part], order, across,
                   tile_places[part], part_starts[part], spans, tile_gaussians,
                   tile_pairs)  # fmt: skip


@serial_kernel
def hide_rows(values, columns, depths, radii):
    """Take Gaussians whose further channels are not all finite out of the drawing.

    Args:
        values: (N·columns,) float32.
        columns: channels of a Gaussian.
        depths: (N,) in and out, infinite where not drawn.
        radii: (N·2,) int32 in and out, 0 where not drawn.
    """
    bits = values.view(np.uint32)
    exponent = np.uint32(0x7F800000)
    for row in range(depths.size):
        worst = np.uint32(0)
        for i in range(row * columns, (row + 1) * columns):
            worst = max(worst, bits[i] & exponent)
        if worst == exponent:
            depths[row] = math.inf
            radii[2 * row] = 0
            radii[2 * row + 1] = 0
