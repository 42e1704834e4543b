# SPDX-License-Identifier: GPL-3.0-or-later
"""Gaussians in one view, in gsplat's layout: projected, sorted into tiles, blended."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil

import gsplat
import torch
from torch import Tensor

from ...dataset.scene import View
from ..interface import ALPHA_LIMIT, DILATION, SplatTensors

TILE_SIZE = 16
ALL_BATCHES = 2**31 - 1


@dataclass(frozen=True, eq=False)
class Footprints:
    """N Gaussians projected into one view and sorted into its tiles, in gsplat's layout."""

    means2d: Tensor
    """(1, N, 2) px."""
    radii: Tensor
    """(1, N, 2) int32 px; where they are 0, the rest is undefined."""
    depths: Tensor
    """(1, N) scene units."""
    conics: Tensor
    """(1, N, 3) px⁻²."""
    opacities: Tensor
    """(1, N)."""
    offsets: Tensor
    """(1, rows, columns) int32, where each tile's part of `order` starts."""
    order: Tensor
    """(M,) int32 Gaussians, tile by tile, front to back."""
    width: int
    height: int

    def detached(self) -> Footprints:
        """Return the same, cut off from the splat's gradients."""
        return replace(
            self,
            means2d=self.means2d.detach(),
            conics=self.conics.detach(),
            opacities=self.opacities.detach(),
        )


def project(splat: SplatTensors, view: View, near_plane: float) -> Footprints:
    """Project Gaussians and sort them into tiles; those nearer than `near_plane` are left out."""
    camera = view.camera
    radii, means2d, depths, conics, _ = gsplat.fully_fused_projection(
        splat.means,
        None,
        splat.quats,
        splat.scales,
        torch.as_tensor(view.world_to_camera[None]).to(splat.means),
        torch.as_tensor(camera.matrix()[None]).to(splat.means),
        camera.width,
        camera.height,
        eps2d=DILATION,
        near_plane=near_plane,
        packed=False,  # strategies and SH masks want one row for each Gaussian
        opacities=splat.opacities,
    )
    columns, rows = ceil(camera.width / TILE_SIZE), ceil(camera.height / TILE_SIZE)
    _, intersections, order = gsplat.isect_tiles(means2d, radii, depths, TILE_SIZE, columns, rows)
    offsets = gsplat.isect_offset_encode(intersections, 1, columns, rows)
    return Footprints(
        means2d,
        radii,
        depths,
        conics,
        splat.opacities[None],
        offsets,
        order,
        camera.width,
        camera.height,
    )


def blend(
    footprints: Footprints, values: Tensor, background: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Blend values (1, N, C) into an image (H, W, C) and return it with its alpha (H, W)."""
    image, alpha = gsplat.rasterize_to_pixels(
        footprints.means2d,
        footprints.conics,
        values,
        footprints.opacities,
        footprints.width,
        footprints.height,
        TILE_SIZE,
        footprints.offsets,
        footprints.order,
        backgrounds=background,
        packed=False,
    )
    return image[0], alpha[0, ..., 0]


def weights_of(footprints: Footprints, pixels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return what Gaussians make up P pixels, as M entries by row and from front to back.

    Returns:
        rows (M,) int64 index into `pixels`, Gaussians (M,) int64, weights (M,) float64.
    """
    width, height = footprints.width, footprints.height
    row_of = torch.zeros(width * height, dtype=torch.int64, device=pixels.device)
    row_of[pixels] = torch.arange(len(pixels), device=pixels.device)
    # A pixel that lets no light through from the start is skipped by the kernel.
    light = torch.zeros(width * height, dtype=torch.float32, device=pixels.device)
    light[pixels] = 1.0
    gaussians, places, _ = gsplat.rasterize_to_indices_in_range(
        0,
        ALL_BATCHES,
        light.reshape(1, height, width),
        footprints.means2d,
        footprints.conics,
        footprints.opacities,
        width,
        height,
        TILE_SIZE,
        footprints.offsets,
        footprints.order,
    )
    rows, by_row = row_of[places].sort(stable=True)
    gaussians, places = gaussians[by_row], places[by_row]

    dx = places % width + 0.5 - footprints.means2d[0, gaussians, 0]
    dy = places // width + 0.5 - footprints.means2d[0, gaussians, 1]
    xx, xy, yy = footprints.conics[0, gaussians].unbind(-1)
    sigma = 0.5 * (xx * dx * dx + yy * dy * dy) + xy * dx * dy
    alpha = footprints.opacities[0, gaussians] * torch.exp(-sigma)
    alpha = alpha.clamp(max=ALPHA_LIMIT).double()
    # Transmittance is a product along each row: a difference of running sums of its logarithm.
    logarithms = torch.log1p(-alpha)
    before = logarithms.cumsum(dim=0) - logarithms
    first = torch.searchsorted(rows, rows)  # where each entry's row starts
    return rows, gaussians, alpha * torch.exp(before - before[first])
