# SPDX-License-Identifier: GPL-3.0-or-later
"""Blending with fixed weights as one node of torch's graph."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ..blending import BlendingMatrix


class BlendingNode(torch.autograd.Function):
    """Features (N, C) → pixels (P, C); linear, so its backward is the transposed product."""

    @staticmethod
    def forward(ctx: Any, features: Tensor, matrix: BlendingMatrix) -> Tensor:
        """Multiply the matrix with the features."""
        ctx.matrix = matrix
        return torch.from_numpy(matrix.blend(features.detach().numpy()))

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        """Multiply the transposed matrix with the upstream gradient."""
        return torch.from_numpy(ctx.matrix.scatter(gradients[0].numpy())), None
