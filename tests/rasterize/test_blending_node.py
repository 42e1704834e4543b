# SPDX-License-Identifier: GPL-3.0-or-later
"""Blending with fixed weights is differentiable to what is blended."""

from __future__ import annotations

import numpy as np
import torch

from cgc_addon.rasterize.blending import BlendingMatrix
from cgc_addon.rasterize.blending_node import blend_features


def test_the_gradient_is_the_transposed_product():
    generator = np.random.default_rng(1)
    dense = generator.random((40, 20), np.float32)
    matrix = BlendingMatrix(
        np.arange(0, 801, 20), np.tile(np.arange(20, dtype=np.int32), 40), dense.reshape(-1), 20
    )
    features = torch.randn(20, 16, requires_grad=True)
    weight = torch.randn(40, 16)
    (blend_features(matrix, features) * weight).sum().backward()
    torch.testing.assert_close(features.grad, torch.from_numpy(dense).T @ weight)
