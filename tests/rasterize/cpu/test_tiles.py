# SPDX-License-Identifier: GPL-3.0-or-later
"""Sorting and binning against brute force over all pixels."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from cgc_addon.errors import CgcError
from cgc_addon.rasterize.cpu import tiles as tiles_module
from cgc_addon.rasterize.cpu.kernels import layout
from cgc_addon.rasterize.cpu.kernels.binning import sort_by_depth


def test_depths_are_sorted_stably_and_hidden_ones_left_out():
    generator = np.random.default_rng(0)
    depths = generator.choice(
        np.concatenate([generator.exponential(5, 300), [np.inf, 1e-3, 1e30]]), 5000
    ).astype(np.float32)
    order = np.empty(5000, np.int32)
    scratch = [np.empty(5000, kind) for kind in (np.uint32, np.int32, np.uint32)]
    count = sort_by_depth(depths, order, *scratch)
    expected = np.argsort(depths, kind="stable")[: np.isfinite(depths).sum()]
    np.testing.assert_array_equal(order[:count], expected)


@pytest.mark.parametrize("size", [(64, 48), (37, 21), (16, 16), (1, 1)])
def test_tiles_list_all_that_touches_them_front_to_back(
    backend, make_splat, make_view, as_dtype, size
):
    width, height = size
    splat = as_dtype(make_splat(200, 3), dtype=torch.float32, grad=False)
    records, tiles = backend._tiles(splat, make_view(width, height, 1), 0.01)
    records = records.double().numpy()
    rank = np.empty(200, int)
    rank[tiles.order] = np.arange(len(tiles.order))
    wasted = 0
    for tile in range(len(tiles.starts) - 1):
        listed = tiles.gaussians[tiles.starts[tile] : tiles.starts[tile + 1]]
        assert (np.diff(rank[listed]) > 0).all()
        left, top = tile % tiles.across * 16, tile // tiles.across * 16
        x, y = np.meshgrid(
            np.arange(left, min(left + 16, width)) + 0.5,
            np.arange(top, min(top + 16, height)) + 0.5,
        )
        mean_x, mean_y, a, b, c, _opacity, cutoff = records[tiles.order, :7].T[..., None, None]
        dx, dy = x - mean_x, y - mean_y
        sigma = 0.5 * (a * dx * dx + c * dy * dy) + b * dx * dy
        touching = tiles.order[(sigma <= cutoff * (1 - 1e-5)).any((1, 2))]
        assert set(touching) <= set(listed)
        wasted += len(listed) - len(touching)
    assert wasted <= 0.1 * len(tiles.gaussians) + 50


def test_pairs_are_numbered_gaussian_by_gaussian(backend, make_splat, make_view, as_dtype):
    splat = as_dtype(make_splat(100, 5), dtype=torch.float32, grad=False)
    _records, tiles = backend._tiles(splat, make_view(), 0.01)
    by_number = np.empty_like(tiles.gaussians)
    by_number[tiles.pairs] = tiles.gaussians
    expected = np.repeat(tiles.order, np.diff(tiles.pair_starts))
    np.testing.assert_array_equal(by_number, expected)


def test_too_many_pairs_are_refused_not_wrapped_around(
    backend, make_splat, make_view, as_dtype, monkeypatch
):
    monkeypatch.setattr(tiles_module, "_MAXIMUM_PAIRS", 10)
    splat = as_dtype(make_splat(100, 5), dtype=torch.float32, grad=False)
    with pytest.raises(CgcError, match="tiles in all"):
        backend._tiles(splat, make_view(), 0.01)


def test_an_image_too_large_to_be_numbered_is_refused(backend, make_splat, make_view, as_dtype):
    splat = as_dtype(make_splat(1, 5), dtype=torch.float32, grad=False)
    with pytest.raises(CgcError, match="too large"):
        backend._tiles(splat, make_view(70000, 1), 0.01)


def test_a_record_is_one_cache_line():
    assert layout.RECORD_SIZE * 4 == 64
    assert layout.CHUNKS <= 64
