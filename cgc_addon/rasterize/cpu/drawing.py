# SPDX-License-Identifier: GPL-3.0-or-later
"""Blending of projected Gaussians as one node of torch's graph."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import torch
from torch import Tensor

from .kernels.backward import differentiate, sum_pairs
from .kernels.forward import draw
from .kernels.layout import GROUP, PAIR_SIZE
from .projection import flat
from .scratch import Scratch
from .threads import limited_threads
from .tiles import Tiles

TILES_AT_ONCE = 4
"""How many neighbouring tiles a thread takes at a time: they differ too much to be dealt evenly."""
SUM_PARTS = 64
"""Pieces in which gradients are added up."""


class Drawing(torch.autograd.Function):
    """Records → rgb (H, W, 3), alpha (H, W) and further channels (H, W, G · 8)."""

    @staticmethod
    def forward(
        ctx: Any,
        means2d: Tensor,
        records: Tensor,
        extras: Tensor,
        background: Tensor,
        width: int,
        height: int,
        moving_groups: int,
        tiles: Tiles,
        scratch: Scratch,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Run the kernel.

        Args:
            ctx: of torch.
            means2d: (1, N, 2) only to have its gradient; the kernel reads the records.
            records: (N, 16).
            extras: (N, G · 8) further channels, contiguous.
            background: (3,).
            width: of the image, px.
            height: of the image, px.
            moving_groups: how many groups of channels, from the first, move the geometry.
            tiles: what to draw where.
            scratch: buffers for the backward pass.
        """
        groups = extras.shape[1] // GROUP
        rgb = torch.empty(height, width, 3)
        transmittance = torch.empty(height, width)
        extra_image = torch.empty(height, width, groups * GROUP)
        tile_ends = np.empty(len(tiles.starts) - 1, np.int64)
        visited = np.empty(len(tiles.gaussians), np.uint64)
        with numba.parallel_chunksize(TILES_AT_ONCE):
            draw(
                flat(records), flat(extras), groups, tiles.starts, tiles.gaussians, tiles.across,
                width, height, flat(background.contiguous()), flat(rgb), flat(transmittance),
                flat(extra_image), tile_ends, visited,
            )  # fmt: skip
        ctx.save_for_backward(records, extras, rgb, transmittance, extra_image)
        ctx.tiles, ctx.tile_ends, ctx.visited, ctx.scratch = tiles, tile_ends, visited, scratch
        ctx.moving_groups = moving_groups
        ctx.threads = numba.get_num_threads()
        return rgb, 1.0 - transmittance, extra_image

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """Return the gradients of means2d, records, extras and background."""
        rgb_gradient, alpha_gradient, extra_gradient = gradients
        records, extras, rgb, transmittance, extra_image = ctx.saved_tensors
        tiles: Tiles = ctx.tiles
        height, width = transmittance.shape
        groups = extras.shape[1] // GROUP
        wanted = groups if ctx.needs_input_grad[2] else 0
        pair_gradients = ctx.scratch.take(
            "pair gradients", len(tiles.pairs) * (PAIR_SIZE + wanted * GROUP), np.float32
        )
        means2d_result = torch.zeros(1, len(records), 2)
        records_result = torch.zeros_like(records)
        extras_result = torch.zeros_like(extras) if wanted else torch.empty(0)
        with limited_threads(ctx.threads):
            with numba.parallel_chunksize(TILES_AT_ONCE):
                differentiate(
                    flat(records), flat(extras), groups, ctx.moving_groups, wanted, tiles.starts,
                    ctx.tile_ends, tiles.gaussians, tiles.pairs, ctx.visited, tiles.across, width,
                    height, flat(rgb), flat(transmittance), flat(extra_image),
                    flat(rgb_gradient.contiguous()), flat(-alpha_gradient),
                    flat(extra_gradient.contiguous()), pair_gradients,
                )  # fmt: skip
            sum_pairs(
                flat(records), tiles.order, tiles.pair_starts, len(tiles.order), wanted, SUM_PARTS,
                pair_gradients, flat(means2d_result), flat(records_result), flat(extras_result),
            )  # fmt: skip
        background_result = None
        if ctx.needs_input_grad[3]:
            background_result = (rgb_gradient * transmittance[..., None]).sum((0, 1))
        nothing = (None,) * 5
        return (
            means2d_result,
            records_result,
            extras_result if wanted else None,
            background_result,
            *nothing,
        )
