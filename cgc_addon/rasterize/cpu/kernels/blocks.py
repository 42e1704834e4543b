# SPDX-License-Identifier: GPL-3.0-or-later
"""Blocks of LANES Gaussians: from rows of an array to one vector per column, and back."""

from __future__ import annotations

from ..simd import LANES, inline, load_scalar, store, store_scalar, transpose


@inline
def load_few(array, columns, first, rows, scratch, slot):
    """Transpose rows of an array (N, columns) into `scratch`, a vector per column from `slot` on.

    Row first + lane goes to the lane; lanes from `rows` on repeat the last row.
    """
    for lane in range(LANES):
        row = (first + min(lane, rows - 1)) * columns
        for column in range(columns):
            store_scalar(scratch, (slot + column) * LANES + lane, load_scalar(array, row + column))


@inline
def store_few(scratch, slot, array, columns, first, rows):
    """Transpose vectors of `scratch` from `slot` on into rows of an array (N, columns)."""
    for lane in range(rows):
        row = (first + lane) * columns
        for column in range(columns):
            store_scalar(array, row + column, load_scalar(scratch, (slot + column) * LANES + lane))


@inline
def load_many(array, stride, first, rows, columns, scratch, slot):
    """Do as `load_few` for the first `columns` of `stride` columns, a square of LANES at a time."""
    if rows == LANES and columns >= LANES:
        column = 0
        while column < columns:
            # The last square overlaps the one before it rather than leave the row.
            start = min(column, columns - LANES)
            transpose(array, first * stride + start, stride, scratch, (slot + start) * LANES, LANES)
            column += LANES
    else:
        for lane in range(LANES):
            row = (first + min(lane, rows - 1)) * stride
            for column in range(columns):
                store_scalar(
                    scratch, (slot + column) * LANES + lane, load_scalar(array, row + column)
                )


@inline
def store_many(scratch, slot, array, columns, first, rows):
    """Do as `store_few`, a square of LANES at a time."""
    if rows == LANES and columns >= LANES:
        column = 0
        while column < columns:
            start = min(column, columns - LANES)
            place = first * columns + start
            transpose(scratch, (slot + start) * LANES, LANES, array, place, columns)
            column += LANES
    else:
        store_few(scratch, slot, array, columns, first, rows)


@inline
def clear_rows(array, columns, first, rows):
    """Set rows of an array (N, columns) to zero."""
    place, end = first * columns, (first + rows) * columns
    while place + LANES <= end:
        store(array, place, 0.0)
        place += LANES
    while place < end:
        store_scalar(array, place, 0.0)
        place += 1
