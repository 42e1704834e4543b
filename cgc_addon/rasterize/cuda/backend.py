# SPDX-License-Identifier: GPL-3.0-or-later
"""The backend for NVIDIA cards: gsplat 1.5's kernels behind the common interface.

`gsplat.rasterization` draws one set of channels; here a view has colours, features and labels, so
its parts are called one by one: project, bin into tiles, then blend as often as needed.
"""

from __future__ import annotations

from typing import Any

import gsplat
import numpy as np
import torch
from torch import Tensor

from ...dataset.scene import View
from ..blending import BlendingMatrix
from ..interface import NEAR_PLANE, Rendering, SplatTensors, SplitRendering, degree_of
from ..ssim import photometric_loss, ssim
from .footprints import Footprints, blend, project, weights_of

CHANNELS_AT_ONCE = 32
"""gsplat's kernels are compiled for certain counts; beyond this one they run out of registers."""
PIXELS_AT_ONCE = 1 << 16
"""How many pixels `blending_weights` treats at a time: bounds the memory for its pairs."""


class CudaBackend:
    """Draws with gsplat; see `interface.Backend`. Splats must lie on `device`."""

    name = "cuda"

    def __init__(self, device: torch.device | str = "cuda") -> None:
        self.device = torch.device(device)

    @property
    def hardware(self) -> str:
        """Name of the card."""
        return torch.cuda.get_device_name(self.device)

    def photos_together(self) -> None:
        """Return None: one photo keeps the card busy."""

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
        footprints = project(splat, view, near_plane)
        values = self._colors(splat, view, footprints, sh_degree)
        if depth:
            values = torch.cat([values, footprints.depths[..., None]], dim=-1)
        if background is None:
            behind = None
        else:
            behind = torch.zeros(1, values.shape[-1], device=self.device)
            behind[0, :3] = background.to(behind)
        image, alpha = blend(footprints, values, behind)

        feature_image = None
        if features is not None:
            # A pass of their own: 16 channels are compiled, 3 + 16 would be padded to 32.
            geometry = footprints if features_move_geometry else footprints.detached()
            chunks = features[None].split(CHANNELS_AT_ONCE, dim=-1)
            feature_image = torch.cat([blend(geometry, chunk)[0] for chunk in chunks], dim=-1)
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
        footprints = project(splat, view, near_plane)
        pixels = pixels.to(self.device)
        counts, gaussians, weights = [], [], []
        for chunk in pixels.split(PIXELS_AT_ONCE):
            rows, ids, shares = weights_of(footprints, chunk)
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
        footprints = project(splat, view, near_plane)
        labels = labels.to(self.device, torch.int32)
        drawn = labels[(footprints.radii[0] > 0).all(dim=-1)]
        ids = torch.unique(torch.cat([drawn, drawn.new_zeros(1)]))  # ascending, 0 among them
        label = share = None
        for chunk in ids.split(CHANNELS_AT_ONCE):
            one_hot = (labels[:, None] == chunk).to(torch.float32)
            shares, alpha = blend(footprints, one_hot[None])
            shares = torch.where((chunk == 0), shares + (1 - alpha)[..., None], shares)
            best, winner = shares.max(dim=-1)  # the first, so the smallest id, of equals
            if label is None or share is None:
                label, share = chunk[winner], best
            else:
                label = torch.where(best > share, chunk[winner], label)
                share = torch.maximum(best, share)
        assert label is not None and share is not None  # noqa: PT018 - there is always label 0
        return label, share

    @torch.no_grad()
    def render_split(
        self,
        splat: SplatTensors,
        view: View,
        limits: Tensor,
        *,
        sh_degree: int = 3,
        near_plane: float = NEAR_PLANE,
    ) -> SplitRendering:
        """Draw what lies before and behind a depth; see `interface.Backend.render_split`.

        gsplat's kernels know no limit: where there is one, the front is added up from its weights.
        """
        shape = view.camera.height, view.camera.width
        if not len(splat.means):
            rgb, alpha = (torch.zeros(*shape, *more, device=self.device) for more in ((3,), ()))
            return SplitRendering(rgb, alpha, rgb.clone(), alpha.clone())
        footprints = project(splat, view, near_plane)
        colors = self._colors(splat, view, footprints, sh_degree)
        whole, alpha = blend(footprints, colors)
        whole = torch.cat([whole, alpha[..., None]], dim=-1).reshape(-1, 4)
        values = torch.cat([colors[0], torch.ones_like(colors[0, :, :1])], dim=-1)
        limits = limits.to(self.device).flatten()
        front = whole.clone()
        limited = limits.isfinite().nonzero()[:, 0]
        for start in range(0, len(limited), PIXELS_AT_ONCE):
            chunk = limited[start : start + PIXELS_AT_ONCE]
            rows, gaussians, weights = weights_of(footprints, chunk)
            near = footprints.depths[0, gaussians] < limits[chunk][rows]
            parts = weights[near, None] * values[gaussians[near]]
            sums = parts.new_zeros(len(chunk), 4).index_add_(0, rows[near], parts)
            front[chunk] = sums.to(front)
        back = (whole - front).reshape(*shape, 4)
        front = front.reshape(*shape, 4)
        return SplitRendering(front[..., :3], front[..., 3], back[..., :3], back[..., 3])

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

    def _colors(
        self, splat: SplatTensors, view: View, footprints: Footprints, sh_degree: int
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
