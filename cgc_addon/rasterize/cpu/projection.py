# SPDX-License-Identifier: GPL-3.0-or-later
"""Projection and colour of Gaussians as one node of torch's graph."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...dataset.scene import View
from ..rules import SLOPE_MARGIN
from .kernels import layout
from .kernels.projection import project, project_backward
from .threads import limited_threads


def camera_floats(view: View, near_plane: float) -> NDArray[np.float32]:
    """Return what the kernels need of a view: (24,), see kernels.layout.

    x/z and y/z are clamped 30 % of half the field of view beyond the image's edges, as in gsplat.
    """
    camera = view.camera
    result = np.zeros(layout.CAMERA_SIZE, np.float32)
    result[layout.ROTATION : layout.ROTATION + 9] = view.world_to_camera[:3, :3].reshape(-1)
    result[layout.TRANSLATION : layout.TRANSLATION + 3] = view.world_to_camera[:3, 3]
    result[layout.POSITION : layout.POSITION + 3] = view.center()
    result[layout.FOCAL_X], result[layout.FOCAL_Y] = camera.fx, camera.fy
    result[layout.CENTER_X], result[layout.CENTER_Y] = camera.cx, camera.cy
    margin_x = SLOPE_MARGIN * camera.width / camera.fx
    margin_y = SLOPE_MARGIN * camera.height / camera.fy
    result[layout.LIMIT_LEFT] = camera.cx / camera.fx + margin_x
    result[layout.LIMIT_RIGHT] = (camera.width - camera.cx) / camera.fx + margin_x
    result[layout.LIMIT_TOP] = camera.cy / camera.fy + margin_y
    result[layout.LIMIT_BOTTOM] = (camera.height - camera.cy) / camera.fy + margin_y
    result[layout.NEAR] = near_plane
    return result


def flat(tensor: Tensor) -> NDArray[Any]:
    """Return a contiguous tensor's memory as a one-dimensional array."""
    return tensor.detach().numpy().reshape(-1)


class Projection(torch.autograd.Function):
    """Gaussians in the world → means2d (1, N, 2), records (N, 16), depths (N,), radii (1, N, 2)."""

    @staticmethod
    def forward(
        ctx: Any,
        means: Tensor,
        quats: Tensor,
        scales: Tensor,
        opacities: Tensor,
        sh0: Tensor,
        sh_rest: Tensor,
        camera: NDArray[np.float32],
        width: int,
        height: int,
        sh_degree: int,
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Run the kernel; every tensor is contiguous float32 on the CPU."""
        inputs = (means, quats, scales, opacities, sh0, sh_rest)
        count = len(means)
        means2d = torch.empty(1, count, 2)
        records = torch.empty(count, layout.RECORD_SIZE)
        depths = torch.empty(count)
        radii = torch.empty(1, count, 2, dtype=torch.int32)
        ctx.kernel_arguments = (
            *map(flat, inputs),
            3 * sh_rest.shape[1],
            (sh_degree + 1) ** 2,
            camera,
        )
        project(
            *ctx.kernel_arguments,
            width,
            height,
            flat(means2d),
            flat(records),
            flat(depths),
            flat(radii),
        )
        ctx.save_for_backward(*inputs)  # lets torch notice a change in place before backward
        ctx.radii = flat(radii)
        ctx.threads = numba.get_num_threads()
        ctx.mark_non_differentiable(depths, radii)
        return means2d, records, depths, radii

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """Return the gradients of the six tensors."""
        means2d_gradient, records_gradient = gradients[:2]
        results = [torch.empty_like(tensor) for tensor in ctx.saved_tensors]
        if not ctx.needs_input_grad[5]:
            results[5] = torch.empty(0)
        with limited_threads(ctx.threads):
            project_backward(
                *ctx.kernel_arguments,
                ctx.radii,
                flat(means2d_gradient.contiguous()),
                flat(records_gradient.contiguous()),
                *map(flat, results),
            )
        rest = results[5] if ctx.needs_input_grad[5] else None
        return (*results[:5], rest, None, None, None, None)
