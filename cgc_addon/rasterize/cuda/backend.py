# SPDX-License-Identifier: GPL-3.0-or-later
"""The backend for NVIDIA cards: gsplat 1.5's kernels behind the common interface.

`gsplat.rasterization` draws one set of channels; here a view has colours, features and labels, so
its parts are called one by one: project, bin into tiles, then blend as often as needed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil
from typing import Any

import gsplat
import numpy as np
import torch
from torch import Tensor

from ...dataset.scene import View
from ..blending import BlendingMatrix
from ..interface import (
    ALPHA_LIMIT,
    DILATION,
    NEAR_PLANE,
    Rendering,
    SplatTensors,
    degree_of,
)
from ..ssim import photometric_loss, ssim

TILE_SIZE = 16
CHANNELS_AT_ONCE = 32
"""gsplat's kernels are compiled for certain counts; beyond this one they run out of registers."""
PIXELS_AT_ONCE = 1 << 16
"""How many pixels `blending_weights` treats at a time: bounds the memory for its pairs."""
ALL_BATCHES = 2**31 - 1


@dataclass(frozen=True, eq=False)
class _Footprints:
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

    def detached(self) -> _Footprints:
        """Return the same, cut off from the splat's gradients."""
        return replace(
            self,
            means2d=self.means2d.detach(),
            conics=self.conics.detach(),
            opacities=self.opacities.detach(),
        )


class CudaBackend:
    """Draws with gsplat; see `interface.Backend`. Splats must lie on `device`."""

    name = "cuda"

    def __init__(self, device: torch.device | str = "cuda") -> None:
        self.device = torch.device(device)

    @property
    def hardware(self) -> str:
        """Name of the card."""
        return torch.cuda.get_device_name(self.device)

    def render(
        self,
        splat: SplatTensors,
        view: View,
        *,
        sh_degree: int = 3,
        features: Tensor | None = None,
        background: Tensor | None = None,
        depth: bool = False,
        features_move_geometry: bool = True,
        near_plane: float = NEAR_PLANE,
    ) -> Rendering:
        """Draw one view; see `interface.Backend.render`."""
        if not len(splat.means):
            return self._nothing(splat, view, features, background, depth)
        footprints = self._project(splat, view, near_plane)
        values = self._colors(splat, view, footprints, sh_degree)
        if depth:
            values = torch.cat([values, footprints.depths[..., None]], dim=-1)
        if background is None:
            behind = None
        else:
            behind = torch.zeros(1, values.shape[-1], device=self.device)
            behind[0, :3] = background.to(behind)
        image, alpha = _blend(footprints, values, behind)

        feature_image = None
        if features is not None:
            # A pass of their own: 16 channels are compiled, 3 + 16 would be padded to 32.
            geometry = footprints if features_move_geometry else footprints.detached()
            chunks = features[None].split(CHANNELS_AT_ONCE, dim=-1)
            feature_image = torch.cat([_blend(geometry, chunk)[0] for chunk in chunks], dim=-1)
        info = _info(footprints.means2d, footprints.radii, view)
        depth_image = image[..., 3] if depth else None
        return Rendering(image[..., :3], alpha, feature_image, depth_image, info)

    def photometric_loss(self, rgb: Tensor, target: Tensor, dssim_weight: float = 0.2) -> Tensor:
        """Return (1 − w) · L1 + w · (1 − SSIM); see `interface.Backend.photometric_loss`."""
        return photometric_loss(rgb, target, dssim_weight)

    def ssim(self, a: Tensor, b: Tensor) -> float:
        """Return the mean structural similarity; see `interface.Backend.ssim`."""
        return ssim(a, b).item()

    @torch.no_grad()
    def blending_weights(
        self,
        splat: SplatTensors,
        view: View,
        pixels: Tensor,
        *,
        minimum: float = 0.0,
        near_plane: float = NEAR_PLANE,
    ) -> BlendingMatrix:
        """Return the weights of the given pixels; see `interface.Backend.blending_weights`."""
        if not len(splat.means):
            none = np.zeros(len(pixels) + 1, np.int64)
            return BlendingMatrix(none, np.zeros(0, np.int32), np.zeros(0, np.float32), 0)
        footprints = self._project(splat, view, near_plane)
        pixels = pixels.to(self.device)
        counts, gaussians, weights = [], [], []
        for chunk in pixels.split(PIXELS_AT_ONCE):
            rows, ids, shares = _weights_of(footprints, chunk)
            kept = shares > minimum
            rows = rows[kept]
            counts.append(torch.bincount(rows, minlength=len(chunk)).cpu())
            gaussians.append(ids[kept].to(torch.int32).cpu())
            weights.append(shares[kept].to(torch.float32).cpu())
        starts = np.zeros(len(pixels) + 1, np.int64)
        if len(pixels):
            np.cumsum(torch.cat(counts).numpy(), out=starts[1:])
        return BlendingMatrix(
            starts,
            torch.cat(gaussians).numpy() if gaussians else np.zeros(0, np.int32),
            torch.cat(weights).numpy() if weights else np.zeros(0, np.float32),
            len(splat.means),
        )

    @torch.no_grad()
    def render_labels(
        self,
        splat: SplatTensors,
        view: View,
        labels: Tensor,
        *,
        near_plane: float = NEAR_PLANE,
    ) -> tuple[Tensor, Tensor]:
        """Return each pixel's strongest label; see `interface.Backend.render_labels`.

        Labels are blended one-hot, some at a time, so memory does not grow with their number.
        """
        if not len(splat.means):
            shape = view.camera.height, view.camera.width
            unlabelled = torch.zeros(shape, dtype=torch.int32, device=self.device)
            return unlabelled, torch.ones(shape, device=self.device)
        footprints = self._project(splat, view, near_plane)
        labels = labels.to(self.device, torch.int32)
        drawn = labels[(footprints.radii[0] > 0).all(dim=-1)]
        ids = torch.unique(torch.cat([drawn, drawn.new_zeros(1)]))  # ascending, 0 among them
        label = share = None
        for chunk in ids.split(CHANNELS_AT_ONCE):
            one_hot = (labels[:, None] == chunk).to(torch.float32)
            shares, alpha = _blend(footprints, one_hot[None])
            shares = torch.where((chunk == 0), shares + (1 - alpha)[..., None], shares)
            best, winner = shares.max(dim=-1)  # the first, so the smallest id, of equals
            if label is None or share is None:
                label, share = chunk[winner], best
            else:
                label = torch.where(best > share, chunk[winner], label)
                share = torch.maximum(best, share)
        assert label is not None and share is not None  # noqa: PT018 - there is always label 0
        return label, share

    def _nothing(
        self,
        splat: SplatTensors,
        view: View,
        features: Tensor | None,
        background: Tensor | None,
        depth: bool,
    ) -> Rendering:
        """Return what no Gaussians look like: gsplat divides by their number."""
        empty = torch.zeros(view.camera.height, view.camera.width, device=self.device)
        rgb = empty[..., None].repeat(1, 1, 3)
        if background is not None:
            rgb = rgb + background.to(rgb)
        info = _info(
            splat.means[None, :, :2],
            torch.zeros(1, 0, 2, dtype=torch.int32, device=self.device),
            view,
        )
        channels = None if features is None else empty[..., None].repeat(1, 1, features.shape[1])
        return Rendering(rgb, empty, channels, empty.clone() if depth else None, info)

    def _project(self, splat: SplatTensors, view: View, near_plane: float) -> _Footprints:
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
        _, intersections, order = gsplat.isect_tiles(
            means2d, radii, depths, TILE_SIZE, columns, rows
        )
        offsets = gsplat.isect_offset_encode(intersections, 1, columns, rows)
        return _Footprints(
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

    def _colors(
        self, splat: SplatTensors, view: View, footprints: _Footprints, sh_degree: int
    ) -> Tensor:
        """Return the colours (1, N, 3) that the drawn Gaussians show to the camera."""
        directions = splat.means - torch.as_tensor(view.center()).to(splat.means)
        coefficients = torch.cat([splat.sh0, splat.shN], dim=1)
        drawn = (footprints.radii[0] > 0).all(dim=-1)
        degree = min(sh_degree, degree_of(splat))
        colors = gsplat.spherical_harmonics(degree, directions, coefficients, masks=drawn)
        return (colors + 0.5).clamp(min=0)[None]


def _info(means2d: Tensor, radii: Tensor, view: View) -> dict[str, Any]:
    """Return what gsplat's strategies read of a rendering; see `interface.Rendering`."""
    return {
        "means2d": means2d,
        "radii": radii,
        "width": view.camera.width,
        "height": view.camera.height,
        "n_cameras": 1,
        "gaussian_ids": None,
    }


def _blend(
    footprints: _Footprints, values: Tensor, background: Tensor | None = None
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


def _weights_of(footprints: _Footprints, pixels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
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
