# SPDX-License-Identifier: GPL-3.0-or-later
"""The list of Gaussians of every tile of an image, front to back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import get_num_threads
from numpy.typing import NDArray

from ...errors import CgcError
from .kernels.binning import (
    MAXIMUM_TILES,
    bound_spans,
    count_pairs,
    fill_tiles,
    place_tiles,
    sort_by_depth,
)
from .kernels.layout import TILE
from .scratch import Scratch

_MAXIMUM_PAIRS = np.iinfo(np.int32).max


@dataclass(frozen=True, eq=False)
class Tiles:
    """M visible Gaussians spread over an image's tiles of 16 × 16 pixels, row by row."""

    across: int
    """Tiles in a row of the image."""
    order: NDArray[np.int32]
    """(M,) Gaussians nearest first."""
    pair_starts: NDArray[np.int64]
    """(M + 1,) how many (Gaussian, tile) pairs come before each of them."""
    starts: NDArray[np.int64]
    """(tiles + 1,) tile t owns the entries starts[t] to starts[t + 1]."""
    gaussians: NDArray[np.int32]
    """(pairs,) Gaussian of each entry, front to back within a tile."""
    pairs: NDArray[np.int32]
    """(pairs,) number of each entry when counted Gaussian by Gaussian."""


def tiles_across(size: int) -> int:
    """Return how many tiles cover `size` pixels."""
    return -(-size // TILE)


def distribute(
    records: NDArray[np.float32],
    depths: NDArray[np.float32],
    width: int,
    height: int,
    scratch: Scratch,
) -> Tiles:
    """Sort Gaussians by depth and list them tile by tile.

    Args:
        records: (N·16,) see kernels.layout.
        depths: (N,) scene units, infinite where not drawn.
        width: of the image, px.
        height: of the image, px.
        scratch: buffers to work in; nothing of them is in the result.

    Raises:
        CgcError: the image has more than 65520 pixels a side, or the pairs do not fit into int32.
    """
    across, down = tiles_across(width), tiles_across(height)
    if max(across, down) > MAXIMUM_TILES:
        raise CgcError(
            f"An image of {width}×{height} pixels is too large for the CPU rasterizer; "
            f"render at most {MAXIMUM_TILES * TILE} pixels a side."
        )
    size = len(depths)
    order = np.empty(size, np.int32)
    count = sort_by_depth(
        depths,
        order,
        scratch.take("keys", size, np.uint32),
        scratch.take("spare order", size, np.int32),
        scratch.take("spare keys", size, np.uint32),
    )
    parts = get_num_threads()
    row_bounds = np.empty(parts + 1, np.int64)
    bound_spans(records, order, count, down, parts, row_bounds)
    spans = scratch.take("spans", int(row_bounds[-1]), np.uint64)
    tile_counts = np.zeros((parts, across * down), np.int32)
    pair_starts = np.empty(count + 1, np.int64)
    part_pairs = np.empty(parts, np.int64)
    span_counts = np.empty(parts, np.int64)
    count_pairs(
        records, order, count, across, down, parts, row_bounds, tile_counts, pair_starts,
        part_pairs, spans, span_counts,
    )  # fmt: skip
    starts = np.empty(across * down + 1, np.int64)
    _refuse_too_many(int(part_pairs.sum()))
    place_tiles(tile_counts, part_pairs, pair_starts, count, starts)
    gaussians, pairs = np.empty((2, int(starts[-1])), np.int32)
    fill_tiles(
        order, count, across, parts, row_bounds, tile_counts, pair_starts, part_pairs, spans,
        span_counts, gaussians, pairs,
    )  # fmt: skip
    return Tiles(across, order[:count], pair_starts, starts, gaussians, pairs)


def _refuse_too_many(pairs: Any) -> None:
    if pairs > _MAXIMUM_PAIRS:
        raise CgcError(
            f"The Gaussians cover {pairs} tiles in all, more than the CPU rasterizer can list; "
            "render at a smaller size, or remove the Gaussians that cover the whole image."
        )
