# SPDX-License-Identifier: GPL-3.0-or-later
"""A frame's splats before and behind its meshes."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..rasterize.interface import Backend, SplatTensors
from ..splats.spherical_harmonics import CONSTANT_BASIS
from .frame_request import FrameRequest
from .mesh_layer import MeshFile, MeshLayer, depth_limits, read_mesh_layer
from .scene_linear import premultiplied

_COLORS = 3


@dataclass(frozen=True, eq=False)
class FrameMeshes:
    """The meshes of a frame, and what of its splats is before them."""

    layer: MeshLayer
    limits: Tensor
    """(H, W) depth at which splats are parted, units of the frame that is drawn in."""
    front: Tensor
    """(H, W, 4) linear Rec. 709, premultiplied: colour and alpha of what is before."""
    front_coverage: NDArray[np.float32]
    """(H, W) alpha of what is before, holdouts included."""

    @property
    def coverage(self) -> NDArray[np.float32]:
        """Return which share of a pixel (H, W) shows a mesh, 0..1."""
        return self.layer.rgba[..., 3] * (1.0 - self.front_coverage)


def draw_meshes(
    request: FrameRequest,
    file: MeshFile,
    scale: float,
    splat: SplatTensors,
    shown: Tensor | None,
    sh_degree: int,
    backend: Backend,
) -> FrameMeshes:
    """Read the meshes of a frame and draw the splats before them.

    Args:
        request: the frame.
        file: its meshes.
        scale: units of the world in one of the frame that is drawn in.
        splat: N Gaussians, holdouts black.
        shown: (N, 1) 0 for holdouts and 1 for others, None where there are no holdouts.
        sh_degree: of the splat.
        backend: rasterizer.

    Raises:
        CgcError: the picture of the meshes cannot be read or does not fit.
    """
    camera = request.view.camera
    layer = read_mesh_layer(file, camera.width, camera.height)
    limits = torch.from_numpy(depth_limits(layer) / np.float32(scale)).to(backend.device)
    split = backend.render_split(splat, request.view, limits, sh_degree=sh_degree)
    alpha = split.front_alpha
    if shown is not None:
        alpha = _shares(request, splat, shown, limits, backend)[0][..., 0]
    front = torch.cat([premultiplied(split.front_rgb, alpha), alpha[..., None]], dim=2)
    return FrameMeshes(layer, limits, front, split.front_alpha.cpu().numpy())


def no_splats(request: FrameRequest, file: MeshFile) -> FrameMeshes:
    """Read the meshes of a frame in which there is nothing else.

    Raises:
        CgcError: as `draw_meshes`.
    """
    camera = request.view.camera
    layer = read_mesh_layer(file, camera.width, camera.height)
    nothing = torch.zeros(camera.height, camera.width, 4)
    return FrameMeshes(layer, nothing[..., 0], nothing, nothing[..., 0].numpy())


def visible_shares(
    request: FrameRequest,
    splat: SplatTensors,
    chosen: Tensor,
    meshes: FrameMeshes,
    backend: Backend,
) -> Tensor:
    """Return which share of a pixel shows some Gaussians between and around meshes.

    Args:
        request: the frame.
        splat: N Gaussians.
        chosen: (N, K) 1 for those of each kind, 0 for others.
        meshes: of the frame.
        backend: rasterizer.

    Returns:
        (H, W, K) 0..1.
    """
    behind = torch.from_numpy(1.0 - meshes.layer.rgba[..., 3:]).to(backend.device)
    front, back = _shares(request, splat, chosen, meshes.limits, backend)
    return front + behind * back


def _shares(
    request: FrameRequest, splat: SplatTensors, chosen: Tensor, limits: Tensor, backend: Backend
) -> tuple[Tensor, Tensor]:
    """Return Σ αᵢTᵢ over chosen Gaussians (H, W, K) before and behind limits, three at a time."""
    fronts, backs = [], []
    for kinds in chosen.split(_COLORS, dim=1):
        colors = torch.nn.functional.pad(kinds, (0, _COLORS - kinds.shape[1]))
        painted = replace(splat, sh0=((colors - 0.5) / CONSTANT_BASIS)[:, None])
        split = backend.render_split(painted, request.view, limits, sh_degree=0)
        fronts.append(split.front_rgb[..., : kinds.shape[1]])
        backs.append(split.back_rgb[..., : kinds.shape[1]])
    return torch.cat(fronts, dim=2), torch.cat(backs, dim=2)
