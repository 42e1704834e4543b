# SPDX-License-Identifier: GPL-3.0-or-later
"""Blending with fixed weights as one node of torch's graph."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from .blending import BlendingMatrix


def blend_features(matrix: BlendingMatrix, features: Tensor) -> Tensor:
    """Return `matrix.blend(features)` as a node of torch's graph, differentiable to the features.

    Args:
        matrix: of P pixels and N Gaussians.
        features: (N, C) float32 on the CPU.

    Returns:
        (P, C) float32.

    Example:
        >>> import numpy as np
        >>> gaussians, weights = np.array([0, 1], np.int32), np.array([0.75, 0.25], np.float32)
        >>> matrix = BlendingMatrix(np.array([0, 2]), gaussians, weights, 2)
        >>> features = torch.tensor([[4.0], [8.0]], requires_grad=True)
        >>> blended = blend_features(matrix, features)
        >>> blended.sum().backward()
        >>> blended.tolist(), features.grad.tolist()
        ([[5.0]], [[0.75], [0.25]])
    """
    return _BlendingNode.apply(features, matrix)  # type: ignore[no-any-return]


class _BlendingNode(torch.autograd.Function):
    """Features (N, C) → pixels (P, C); linear, so its backward is the transposed product."""

    @staticmethod
    def forward(ctx: Any, features: Tensor, matrix: BlendingMatrix) -> Tensor:
        ctx.matrix = matrix
        return torch.from_numpy(matrix.blend(features.detach().numpy()))

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return torch.from_numpy(ctx.matrix.scatter(gradients[0].numpy())), None
