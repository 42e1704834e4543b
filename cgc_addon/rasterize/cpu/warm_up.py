# SPDX-License-Identifier: GPL-3.0-or-later
"""A drawing so small that running it is nothing, and that makes Numba compile every kernel."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from ...dataset.scene import PinholeCamera, View
from ..blending_node import blend_features
from ..interface import Backend, SplatTensors


def stages(backend: Backend) -> list[Callable[[], None]]:
    """Return calls that together use all kernels, each a few seconds to compile."""
    view = View("warm-up", PinholeCamera(16, 16, 16.0, 16.0, 8.0, 8.0), np.eye(4))
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

    return [forward, backward, loss, labels, split, weights]
