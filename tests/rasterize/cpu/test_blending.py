# SPDX-License-Identifier: GPL-3.0-or-later
"""Sparse products against dense ones."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cgc_addon.errors import CgcError
from cgc_addon.rasterize.blending import BlendingMatrix, blend_features


def _random_matrix(pixels: int, count: int, seed: int) -> tuple[BlendingMatrix, np.ndarray]:
    generator = np.random.default_rng(seed)
    dense = generator.random((pixels, count), np.float32)
    dense[generator.random(dense.shape) < 0.6] = 0
    starts = np.concatenate([[0], np.cumsum((dense > 0).sum(1))])
    columns = np.nonzero(dense)[1].astype(np.int32)
    return BlendingMatrix(starts, columns, dense[dense > 0], count), dense


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 150), st.integers(1, 30), st.integers(1, 35), st.integers(0, 9))
def test_products_equal_dense_ones(pixels, count, channels, seed):
    matrix, dense = _random_matrix(pixels, count, seed)
    generator = np.random.default_rng(seed)
    values = generator.normal(size=(count, channels)).astype(np.float32)
    pixel_values = generator.normal(size=(pixels, channels)).astype(np.float32)
    np.testing.assert_allclose(matrix.blend(values), dense @ values, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(
        matrix.scatter(pixel_values), dense.T @ pixel_values, rtol=1e-4, atol=1e-5
    )
    rows = generator.integers(0, pixels, 20) if pixels else np.empty(0, np.int64)
    np.testing.assert_allclose(
        matrix.rows(rows).blend(values), dense[rows] @ values, rtol=1e-4, atol=1e-5
    )


def test_the_gradient_is_the_transposed_product():
    matrix, dense = _random_matrix(40, 20, 1)
    features = torch.randn(20, 16, requires_grad=True)
    weight = torch.randn(40, 16)
    (blend_features(matrix, features) * weight).sum().backward()
    torch.testing.assert_close(features.grad, torch.from_numpy(dense).T @ weight)


def test_wrong_sizes_are_refused():
    matrix, _dense = _random_matrix(4, 3, 1)
    with pytest.raises(CgcError, match=r"\(3, channels\) float32"):
        matrix.blend(np.zeros((4, 2), np.float32))
    with pytest.raises(CgcError, match=r"\(4, channels\) float32"):
        matrix.scatter(np.zeros((4, 2)))
    with pytest.raises(CgcError, match="Rows"):
        matrix.rows(np.array([4]))
