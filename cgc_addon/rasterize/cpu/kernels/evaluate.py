# SPDX-License-Identifier: GPL-3.0-or-later
"""What every walk over a tile has in common: its chunks of pixels, and a Gaussian's alpha at them.

A walk looks like this, for each Gaussian of the tile's list, front to back:

    chunks = chunks_touched(...) & alive
    while chunks != 0:
        chunk = lowest_bit(chunks)
        chunks &= chunks - 1
        dx, dy = …
        sigma = …
        alpha = …
"""

from __future__ import annotations

import numpy as np

from ...interface import ALPHA_LIMIT, TRANSMITTANCE_MINIMUM
from ..simd import (
    LANES,
    any_lane,
    exp_negative,
    inline,
    lane_numbers,
    load_scalar,
    mask_bits,
    maximum,
    minimum,
    splat,
    square_root,
    store,
    where,
)
from .layout import (
    CHUNK_HEIGHT,
    CHUNK_WIDTH,
    CHUNKS,
    CHUNKS_ACROSS,
    CHUNKS_DOWN,
    CONIC_A,
    CONIC_B,
    CONIC_C,
    CUTOFF,
    EXTENT_X,
    EXTENT_Y,
    INVERSE_A,
    MEAN_X,
    MEAN_Y,
    TILE,
    TIP,
)

_ROWS = min(LANES, CHUNKS_DOWN)
"""How many rows of chunks are tested at once."""
_COLUMN_SHIFT = CHUNKS_DOWN.bit_length() - 1


@inline
def tile_corner(tile, across):
    """Return x and y of a tile's corner, px."""
    return np.float32((tile % across) * TILE), np.float32((tile // across) * TILE)


@inline
def column_and_row(chunk):
    """Return where a chunk lies in its tile."""
    # Shifts, because Numba's // must also be right for negative numbers.
    return chunk >> _COLUMN_SHIFT, chunk & (CHUNKS_DOWN - 1)


@inline
def pixel_of(tile, across, chunk, lane):
    """Return x and y of a lane's pixel in the image; they may lie outside of it."""
    column, row = column_and_row(chunk)
    return (
        (tile % across) * TILE + column * CHUNK_WIDTH + lane % CHUNK_WIDTH,
        (tile // across) * TILE + row * CHUNK_HEIGHT + lane // CHUNK_WIDTH,
    )


@inline
def lane_offsets():
    """Return x and y of the lanes' pixel centres from a chunk's corner, px."""
    lane = lane_numbers()
    row = lane * 0.0
    for i in range(1, CHUNK_HEIGHT):
        row = row + where(lane >= np.float32(i * CHUNK_WIDTH), 1.0, 0.0)
    return lane - row * CHUNK_WIDTH + 0.5, row + 0.5


@inline
def center_offsets(corner_x, corner_y, records, record):
    """Return the way from a Gaussian's centre to a tile's corner, px."""
    return (
        corner_x - load_scalar(records, record + MEAN_X),
        corner_y - load_scalar(records, record + MEAN_Y),
    )


@inline
def chunk_offsets(chunk):
    """Return x and y of a chunk's corner from its tile's, px."""
    column, row = column_and_row(chunk)
    return (
        np.float32(column * CHUNK_WIDTH),
        np.float32(row * CHUNK_HEIGHT),
    )


@inline
def _columns_and_rows():
    """Return column and row of the chunk that each lane stands for, where there are LANES."""
    lane = lane_numbers()
    column = lane * 0.0
    for i in range(1, CHUNKS_ACROSS):
        column = column + where(lane >= np.float32(i * CHUNKS_DOWN), 1.0, 0.0)
    return column, lane - column * CHUNKS_DOWN


@inline
def _reach(top, extent_y, tip, slope, curvature, height, inverse, margin):
    """Return how far left and right an ellipse reaches in bands of heights, and if it does at all.

    Args:
        top: vector, first pixel centre of each band below the ellipse's centre, px.
        extent_y: of the ellipse, and so on: see `chunks_touched`.
        tip: likewise.
        slope: likewise.
        curvature: likewise.
        height: likewise.
        inverse: likewise.
        margin: likewise.
    """
    bottom = top + (CHUNK_HEIGHT - 1)
    reached = (top <= extent_y) & (bottom >= -extent_y)
    top, bottom = maximum(top, -extent_y), minimum(bottom, extent_y)
    y = minimum(maximum(top, tip), bottom)
    right = y * slope + square_root(maximum(y * y * curvature + height, 0.0)) * inverse
    y = minimum(maximum(top, -tip), bottom)
    left = y * slope - square_root(maximum(y * y * curvature + height, 0.0)) * inverse
    return left - margin, right + margin, reached


@inline
def chunks_touched(offset_x, offset_y, records, record):
    """Return the set of a tile's chunks that a Gaussian's ellipse may touch, as bits.

    In the band of heights of a row of chunks the ellipse reaches farthest right at its own
    rightmost point if that lies in the band, else at the edge nearest to it; likewise left. All
    rows are solved at once. A little is added against rounding, which grows with the ellipse.

    Args:
        offset_x: from the Gaussian's centre to the tile's corner, px.
        offset_y: likewise.
        records: (N·16,) see layout.
        record: first element of the Gaussian's record.
    """
    a = load_scalar(records, record + CONIC_A)
    b = load_scalar(records, record + CONIC_B)
    inverse = load_scalar(records, record + INVERSE_A)
    extent_x = load_scalar(records, record + EXTENT_X)
    extent_y = load_scalar(records, record + EXTENT_Y)
    tip = load_scalar(records, record + TIP)
    curvature = b * b - a * load_scalar(records, record + CONIC_C)
    height = a * load_scalar(records, record + CUTOFF) * np.float32(2.0)
    slope = -b * inverse
    margin = extent_x * np.float32(1e-3) + np.float32(0.01)
    if CHUNKS == LANES:  # a lane a chunk: all are tested at once
        column, row = _columns_and_rows()
        left, right, reached = _reach(
            row * CHUNK_HEIGHT + (offset_y + np.float32(0.5)),
            extent_y, tip, slope, curvature, height, inverse, margin,
        )  # fmt: skip
        x = column * CHUNK_WIDTH + (offset_x + np.float32(0.5))
        return np.uint64(mask_bits(reached & (right >= x) & (left <= x + (CHUNK_WIDTH - 1))))
    chunks = np.uint64(0)
    for first in range(0, CHUNKS_DOWN, _ROWS):
        left, right, reached = _reach(
            lane_numbers() * CHUNK_HEIGHT
            + (offset_y + np.float32(first * CHUNK_HEIGHT) + np.float32(0.5)),
            extent_y, tip, slope, curvature, height, inverse, margin,
        )  # fmt: skip
        for column in range(CHUNKS_ACROSS):
            x = offset_x + np.float32(column * CHUNK_WIDTH + 0.5)
            hit = reached & (right >= x) & (left <= x + np.float32(CHUNK_WIDTH - 1))
            bits = np.uint64(mask_bits(hit)) & np.uint64((1 << _ROWS) - 1)
            chunks |= bits << np.uint64(column * CHUNKS_DOWN + first)
    return chunks


@inline
def raw_alpha(sigma, opacity):
    """Return opacity · exp(−σ), not capped; only meaningful where σ is below the cutoff."""
    return exp_negative(sigma) * opacity


@inline
def capped_alpha(raw, sigma, cutoff):
    """Return α: capped at 0.999, and 0 where it is below 1/255."""
    return where(sigma <= cutoff, minimum(raw, ALPHA_LIMIT), 0.0)


@inline
def absorb(before, alpha):
    """Let a Gaussian take its part of the light.

    A negative T marks a pixel that is done; its size stays what was left when the ray ended.

    Args:
        before: vector, T before the Gaussian.
        alpha: vector.

    Returns:
        The mask of pixels whose ray goes on, the weights αT, and T behind the Gaussian.
    """
    after = before * (1.0 - alpha)
    goes_on = after >= TRANSMITTANCE_MINIMUM
    weight = where(goes_on, alpha * before, 0.0)
    return goes_on, weight, where(goes_on, after, where(before < 0.0, before, -before))


@inline
def start_transmittance(tile, across, width, height, state, stride):
    """Set T of a tile's pixels to 1, or to −1, which means done, outside the image.

    Args:
        tile: number of the tile.
        across: tiles in a row.
        width: of the image, px.
        height: of the image, px.
        state: a chunk's T is the vector at chunk · stride.
        stride: floats per chunk in `state`.

    Returns:
        The set of chunks with a pixel inside the image, as bits.
    """
    alive = np.uint64(0)
    corner_x, corner_y = tile_corner(tile, across)
    lane_x, lane_y = lane_offsets()
    for chunk in range(CHUNKS):
        chunk_x, chunk_y = chunk_offsets(chunk)
        inside = (lane_x + (corner_x + chunk_x) < np.float32(width)) & (
            lane_y + (corner_y + chunk_y) < np.float32(height)
        )
        store(state, chunk * stride, where(inside, 1.0, splat(-1.0)))
        if any_lane(inside):
            alive |= np.uint64(1) << np.uint64(chunk)
    return alive
