# SPDX-License-Identifier: GPL-3.0-or-later
"""Every vector operation gives what NumPy gives, lane by lane."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cgc_addon.errors import CgcError
from cgc_addon.rasterize.cpu import simd
from cgc_addon.rasterize.cpu.simd import (
    LANES,
    add_eight,
    any_lane,
    exp_negative,
    inverse_root,
    is_finite,
    kernel,
    lane_numbers,
    load,
    load_scalar,
    logarithm,
    lowest_bit,
    mask_bits,
    maximum,
    minimum,
    prefetch,
    serial_kernel,
    splat,
    square_root,
    store,
    store_scalar,
    store_sums,
    sum_lanes,
    transpose,
    where,
)

FLOATS = arrays(np.float32, LANES, elements=st.floats(-100, 100, width=32))


@serial_kernel
def _arithmetic(x, y, number, out):
    a, b = load(x, 0), load(y, 0)
    store(out, 0, a + b)
    store(out, LANES, a - number)
    store(out, 2 * LANES, number * b)
    store(out, 3 * LANES, a / (b * b + 1.0))
    store(out, 4 * LANES, -a)
    store(out, 5 * LANES, minimum(a, b))
    store(out, 6 * LANES, maximum(a, 0.5))
    store(out, 7 * LANES, square_root(a * a))
    store(out, 8 * LANES, where((a < b) & (a >= -1.0) | ~(b > 2.0), a, b))
    store(out, 9 * LANES, lane_numbers() + splat(number))


@settings(max_examples=50, deadline=None)
@given(FLOATS, FLOATS, st.floats(-10, 10, width=32))
def test_arithmetic(x, y, number):
    out = np.empty((10, LANES), np.float32)
    number = np.float32(number)
    _arithmetic(x, y, number, out)
    expected = [
        x + y,
        x - number,
        number * y,
        x / (y * y + 1),
        -x,
        np.minimum(x, y),
        np.maximum(x, np.float32(0.5)),
        np.abs(x),
        np.where((x < y) & (x >= -1) | ~(y > 2), x, y),
        np.arange(LANES, dtype=np.float32) + number,
    ]
    # √(a²) of a tiny a underflows.
    np.testing.assert_allclose(out, expected, rtol=1e-6, atol=1e-18)


@serial_kernel
def _functions(x, out):
    store(out, 0, exp_negative(load(x, 0)))
    store(out, LANES, logarithm(load(x, 0)))
    store(out, 2 * LANES, inverse_root(load(x, 0)))


@settings(max_examples=50, deadline=None)
@given(arrays(np.float32, LANES, elements=st.floats(np.float32(1e-3), 5.5, width=32)))
def test_functions_are_as_exact_as_they_say(x):
    out = np.empty((3, LANES), np.float32)
    _functions(x, out)
    wide = x.astype(np.float64)
    np.testing.assert_allclose(out[0], np.exp(-wide), rtol=2e-6)
    np.testing.assert_allclose(out[1], np.log(wide), rtol=1e-6, atol=3e-6)
    np.testing.assert_allclose(out[2], wide**-0.5, rtol=5e-6)


@serial_kernel
def _inverse_root(x, out):
    store(out, 0, inverse_root(load(x, 0)))


@settings(max_examples=50, deadline=None)
@given(arrays(np.float32, LANES, elements=st.floats(2.0**-126, 2.0**127, width=32)))
def test_an_inverse_root_is_exact_for_large_and_small_numbers(x):
    out = np.empty(LANES, np.float32)
    _inverse_root(x, out)
    np.testing.assert_allclose(out, x.astype(np.float64) ** -0.5, rtol=5e-6)


def test_an_inverse_root_of_next_to_nothing_is_finite():
    out = np.empty(LANES, np.float32)
    _inverse_root(np.linspace(0.0, 1e-39, LANES, dtype=np.float32), out)
    assert np.isfinite(out).all()
    assert out.min() > 1e18


@serial_kernel
def _masks(x):
    a = load(x, 0)
    return mask_bits(is_finite(a)), any_lane(a > 1.0)


def test_masks_see_what_is_not_finite():
    x = np.zeros(LANES, np.float32)
    x[:3] = np.nan, np.inf, -np.inf
    bits, larger = _masks(x)
    assert bits == (1 << LANES) - 1 - 0b111
    assert larger
    assert _masks(np.zeros(LANES, np.float32)) == ((1 << LANES) - 1, False)


@serial_kernel
def _sums(x, out):
    store_sums(out, 1, load(x, 0), load(x, LANES), load(x, 2 * LANES), load(x, 3 * LANES),
               load(x, 4 * LANES), load(x, 5 * LANES), load(x, 6 * LANES),
               load(x, 7 * LANES))  # fmt: skip
    out[0] = sum_lanes(load(x, 0))
    add_eight(out, 9, x, 0)
    return load_scalar(x, 5)


@settings(max_examples=30, deadline=None)
@given(arrays(np.float32, (8, LANES), elements=st.floats(-8, 8, width=32)))
def test_sums(x):
    out = np.zeros(17, np.float32)
    out[9:] = 1
    assert _sums(x, out) == x.ravel()[5]
    np.testing.assert_allclose(out[1:9], x.sum(1), rtol=1e-5, atol=1e-4)
    np.testing.assert_allclose(out[0], x[0].sum(), rtol=1e-5, atol=1e-4)
    np.testing.assert_allclose(out[9:], 1 + x.ravel()[:8], rtol=1e-6, atol=1e-6)


@serial_kernel
def _transposed(source, stride, target):
    transpose(source, 1, stride, target, 2, LANES + 1)


def test_transpose():
    source = np.arange(1 + LANES * (LANES + 3), dtype=np.float32)
    target = np.full(2 + LANES * (LANES + 1), -1, np.float32)
    _transposed(source, LANES + 3, target)
    block = source[1:].reshape(LANES, LANES + 3)[:, :LANES]
    written = target[2:].reshape(LANES, LANES + 1)
    np.testing.assert_array_equal(written[:, :LANES], block.T)
    assert (written[:, LANES] == -1).all()
    assert (target[:2] == -1).all()


@serial_kernel
def _copied(source, target):
    for i in range(source.size):
        prefetch(source, min(i + 2, source.size - 1))
        store_scalar(target, source.size - 1 - i, load_scalar(source, i))


@pytest.mark.parametrize("kind", [np.float32, np.int32, np.uint64])
def test_single_numbers_of_any_type_are_written_and_fetching_changes_nothing(kind):
    source, target = np.arange(5, 12).astype(kind), np.zeros(7, kind)
    _copied(source, target)
    np.testing.assert_array_equal(target, np.arange(11, 4, -1))
    np.testing.assert_array_equal(source, np.arange(5, 12))


@serial_kernel
def _lowest(bits):
    return lowest_bit(bits)


@given(st.integers(1, 2**64 - 1))
@settings(deadline=None)
def test_lowest_bit(bits):
    assert _lowest(np.uint64(bits)) == (bits & -bits).bit_length() - 1


def test_lanes_can_be_chosen(monkeypatch):
    monkeypatch.setenv("CGC_SIMD_LANES", "4")
    assert simd.lanes_of_this_cpu() == 4
    monkeypatch.setenv("CGC_SIMD_LANES", "5")
    with pytest.raises(CgcError, match="CGC_SIMD_LANES"):
        simd.lanes_of_this_cpu()


def test_kernels_of_different_lanes_do_not_share_their_cache():
    def name() -> None:
        """Stand for a kernel."""

    assert f"_{LANES}_lanes_" in kernel(name).py_func.__qualname__  # type: ignore[attr-defined]


def test_a_second_process_finds_the_kernels_on_disk(tmp_path):
    program = (
        "import numpy as np\n"
        "from cgc_addon.rasterize.cpu.kernels.binning import sort_by_depth as sort\n"
        "n = np.empty(1, np.int32); u = np.empty(1, np.uint32)\n"
        "sort(np.ones(1, np.float32), n, u, n.copy(), u.copy())\n"
        "print(sum(sort.stats.cache_hits.values()), sum(sort.stats.cache_misses.values()))\n"
    )

    def run() -> str:
        environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
        command = [sys.executable, "-c", program]
        result = subprocess.run(command, env=environment, capture_output=True, check=True)
        return result.stdout.decode().strip()

    assert run() == "0 1"
    assert run() == "1 0"
