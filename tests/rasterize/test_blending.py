# SPDX-License-Identifier: GPL-3.0-or-later
"""Sparse products against dense ones: plain and on the CPU's kernels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cgc_addon.errors import CgcError
from cgc_addon.rasterize.blending import BlendingMatrix
from cgc_addon.rasterize.cpu.products import KERNEL_PRODUCTS
from cgc_addon.rasterize.products import PLAIN_PRODUCTS, Products


@pytest.fixture(params=[PLAIN_PRODUCTS, KERNEL_PRODUCTS], ids=["plain", "kernels"], scope="module")
def products(request):
    return request.param


def _random_matrix(
    pixels: int, count: int, seed: int, products: Products = PLAIN_PRODUCTS
) -> tuple[BlendingMatrix, np.ndarray]:
    generator = np.random.default_rng(seed)
    dense = generator.random((pixels, count), np.float32)
    dense[generator.random(dense.shape) < 0.6] = 0
    starts = np.concatenate([[0], np.cumsum((dense > 0).sum(1))])
    columns = np.nonzero(dense)[1].astype(np.int32)
    return BlendingMatrix(starts, columns, dense[dense > 0], count, products), dense


@settings(max_examples=40, deadline=None)
@given(
    pixels=st.integers(0, 150),
    count=st.integers(1, 30),
    channels=st.integers(1, 35),
    seed=st.integers(0, 9),
)
def test_products_equal_dense_ones(products, pixels, count, channels, seed):
    matrix, dense = _random_matrix(pixels, count, seed, products)
    generator = np.random.default_rng(seed)
    values = generator.normal(size=(count, channels)).astype(np.float32)
    pixel_values = generator.normal(size=(pixels, channels)).astype(np.float32)
    blended, scattered = matrix.blend(values), matrix.scatter(pixel_values)
    assert blended.dtype == scattered.dtype == np.float32
    np.testing.assert_allclose(blended, dense @ values, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(scattered, dense.T @ pixel_values, rtol=1e-4, atol=1e-5)
    rows = generator.integers(0, pixels, 20) if pixels else np.empty(0, np.int64)
    chosen = matrix.rows(rows)
    assert (chosen.starts.dtype, chosen.gaussians.dtype) == (np.int64, np.int32)
    assert chosen.products is products
    np.testing.assert_allclose(chosen.blend(values), dense[rows] @ values, rtol=1e-4, atol=1e-5)


@settings(max_examples=40, deadline=None)
@given(
    pixels=st.integers(0, 50),
    count=st.integers(1, 20),
    highest=st.integers(0, 12),
    seed=st.integers(0, 9),
)
def test_the_strongest_label_has_the_largest_share(products, pixels, count, highest, seed):
    matrix, dense = _random_matrix(pixels, count, seed, products)
    matrix = BlendingMatrix(
        matrix.starts, matrix.gaussians, matrix.weights / count, count, products
    )
    labels = np.random.default_rng(seed).integers(0, highest + 1, count).astype(np.int32)
    shares = (dense / count) @ (labels[:, None] == np.arange(highest + 1))
    shares[:, 0] += 1 - dense.sum(axis=1) / count
    strongest = matrix.strongest_labels(labels)
    assert strongest.dtype == np.int32
    chosen = np.take_along_axis(shares, strongest[:, None].astype(np.int64), 1)[:, 0]
    np.testing.assert_allclose(chosen, shares.max(axis=1), atol=1e-6)


def test_equal_weights_go_to_the_smaller_label_and_what_is_uncovered_to_0(products):
    matrix = BlendingMatrix(
        np.array([0, 3, 5, 7, 7]),
        np.array([2, 0, 1, 0, 2, 1, 2], np.int32),
        np.array([0.25, 0.5, 0.25, 0.5, 0.5, 0.25, 0.25], np.float32),
        3,
        products,
    )
    labels = np.array([7, 3, 3], np.int32)
    # 0.5 of 7 and of 3, once in two parts; 0.5 of 3 and of nothing; nothing at all.
    assert matrix.strongest_labels(labels).tolist() == [3, 3, 0, 0]


def test_wrong_sizes_are_refused(products):
    matrix, _dense = _random_matrix(4, 3, 1, products)
    with pytest.raises(CgcError, match=r"\(3, channels\) float32"):
        matrix.blend(np.zeros((4, 2), np.float32))
    with pytest.raises(CgcError, match=r"\(4, channels\) float32"):
        matrix.scatter(np.zeros((4, 2)))
    with pytest.raises(CgcError, match="Rows"):
        matrix.rows(np.array([4]))
    for labels in (np.zeros(4, np.int32), np.array([0, -1, 2], np.int32)):
        with pytest.raises(CgcError, match="labels"):
            matrix.strongest_labels(labels)
