# SPDX-License-Identifier: GPL-3.0-or-later
"""The smallest backend there can be: the slow reference behind the interface.

It shows what a new backend must have, and proves that nothing else must know of it.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from cgc_addon.dataset.scene import View
from cgc_addon.progress import Reporter, ShouldStop
from cgc_addon.rasterize import reference, ssim
from cgc_addon.rasterize.backends import BackendDescription
from cgc_addon.rasterize.blending import BlendingMatrix
from cgc_addon.rasterize.interface import NEAR_PLANE, Rendering, SplatTensors, SplitRendering

TOY = BackendDescription(
    name="toy",
    label="Toy",
    sentence="Draw slowly, for tests",
    place="the reference renderer",
    module=__name__,
)


def obstacle(_report: Reporter, _should_stop: ShouldStop, /, *, compile_kernels: bool) -> str:
    return ""


def open_backend(_report: Reporter, *, compile_kernels: bool) -> ToyBackend:
    return ToyBackend()


class ToyBackend:
    name = "toy"
    hardware = ""

    def __init__(self) -> None:
        self.device = torch.device("cpu")

    def photos_together(self) -> None:
        return None

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
        return reference.render(
            splat,
            view,
            sh_degree=sh_degree,
            features=features,
            background=background,
            depth=depth,
            features_move_geometry=features_move_geometry,
            near_plane=near_plane,
        )

    def photometric_loss(self, rgb: Tensor, target: Tensor, dssim_weight: float = 0.2) -> Tensor:
        return ssim.photometric_loss(rgb, target, dssim_weight)

    def ssim(self, a: Tensor, b: Tensor) -> float:
        return ssim.ssim(a, b).item()

    def blending_weights(
        self,
        splat: SplatTensors,
        view: View,
        pixels: Tensor,
        *,
        minimum: float = 0.0,
        near_plane: float = NEAR_PLANE,
    ) -> BlendingMatrix:
        weights = reference.blending_weights(splat, view, near_plane)[pixels]
        front_to_back = reference.project(splat, view, near_plane).depths.argsort(stable=True)
        rows, columns = (weights[:, front_to_back] > minimum).nonzero(as_tuple=True)
        gaussians = front_to_back[columns]
        starts = np.concatenate([[0], torch.bincount(rows, minlength=len(pixels)).cumsum(0)])
        return BlendingMatrix(
            starts.astype(np.int64),
            gaussians.numpy().astype(np.int32),
            weights[rows, gaussians].numpy(),
            len(splat.means),
        )

    def render_labels(
        self,
        splat: SplatTensors,
        view: View,
        labels: Tensor,
        *,
        near_plane: float = NEAR_PLANE,
    ) -> tuple[Tensor, Tensor]:
        return reference.label_map(splat, view, labels, near_plane)

    def render_split(
        self,
        splat: SplatTensors,
        view: View,
        limits: Tensor,
        *,
        sh_degree: int = 3,
        near_plane: float = NEAR_PLANE,
    ) -> SplitRendering:
        return reference.render_split(
            splat, view, limits, sh_degree=sh_degree, near_plane=near_plane
        )
