# SPDX-License-Identifier: GPL-3.0-or-later
"""A drawing so small that running it is nothing, and that makes Numba compile every kernel."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from ...dataset.scene import PinholeCamera, View
from ..blending_node import blend_features
from ..interface import NEAR_PLANE, Backend, SplatTensors
from .drawing import SUM_PARTS
from .kernels.backward import differentiate, sum_pairs
from .kernels.projection import project_backward
from .projection import camera_floats

VIEW = View("warm-up", PinholeCamera(16, 16, 16.0, 16.0, 8.0, 8.0), np.eye(4))


def stages(
    backend: Backend, before_the_rest: Callable[[], None] | None = None
) -> list[Callable[[], None]]:
    """Return calls that together use all kernels, each a few seconds to compile.

    Args:
        backend: whose kernels.
        before_the_rest: called before the first of those in `stages_beside`.
    """
    view = VIEW
    splat = SplatTensors(
        means=torch.tensor([[0.0, 0.0, 1.0]], requires_grad=True),
        quats=torch.tensor([[1.0, 0.0, 0.0, 0.0]]),
        scales=torch.full((1, 3), 0.1),
        opacities=torch.full((1,), 0.5),
        sh0=torch.zeros(1, 1, 3),
        shN=torch.zeros(1, 15, 3),
    )
    features = torch.ones(1, 16, requires_grad=True)

    def forward() -> None:
        with torch.no_grad():
            backend.render(splat, view, features=features)

    def backward() -> None:
        backend.render(splat, view).rgb.sum().backward()

    def loss() -> None:
        rgb = torch.zeros(16, 16, 3, requires_grad=True)
        backend.photometric_loss(rgb, torch.ones(16, 16, 3)).backward()

    def labels() -> None:
        backend.render_labels(splat, view, torch.ones(1, dtype=torch.int32))

    def split() -> None:
        backend.render_split(splat, view, torch.ones(16, 16))

    def weights() -> None:
        matrix = backend.blending_weights(splat, view, torch.arange(256))
        matrix.strongest_labels(np.ones(1, np.int32))
        blend_features(matrix.rows(np.arange(16)), features).sum().backward()

    wait = [] if before_the_rest is None else [before_the_rest]
    return [forward, labels, weights, *wait, backward, loss, split]


def stages_beside(backend: Backend) -> list[Callable[[], None]]:
    """Return calls that use those kernels that can be compiled without the others."""

    def loss() -> None:
        rgb = torch.zeros(16, 16, 3, requires_grad=True)
        backend.photometric_loss(rgb, torch.ones(16, 16, 3)).backward()

    return [backward_kernels, loss]


def backward_kernels() -> None:
    """Run the backward pass of nothing: kernels take the types of their arguments from that."""
    floats, ints = np.empty(0, np.float32), np.empty(0, np.int32)
    starts = np.zeros(2, np.int64)
    differentiate(
        floats, floats, 0, 0, starts, np.zeros(1, np.int64), ints, ints, np.empty(0, np.uint64),
        1, 16, 16, np.zeros(768, np.float32), np.ones(256, np.float32), floats,
        np.zeros(768, np.float32), np.zeros(256, np.float32), floats, floats,
    )  # fmt: skip
    sum_pairs(floats, ints, starts, 0, 0, SUM_PARTS, floats, floats, floats, floats)
    project_backward(
        *(floats,) * 6, 45, 16, camera_floats(VIEW, NEAR_PLANE), ints, *(floats,) * 8
    )  # fmt: skip
