# SPDX-License-Identifier: GPL-3.0-or-later
"""Resizing: exact averages for colours, exact values for ids."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from cgc_addon.dataset.resize import area_average, fitted_size, level_size, nearest, same_shape

SIDES = st.integers(1, 20)


def overlap(new: int, old: int) -> np.ndarray:
    """Shares (new, old) of the new pixels that lie on the old ones, by their definition."""
    result = np.zeros((new, old))
    for i in range(new):
        for j in range(old):
            start, end = max(i * old / new, j), min((i + 1) * old / new, j + 1)
            result[i, j] = max(0.0, end - start) * new / old
    return result


@given(old=st.tuples(SIDES, SIDES), new=st.tuples(SIDES, SIDES), seed=st.integers(0, 99))
def test_area_average_is_the_mean_of_the_covered_area(old, new, seed):
    image = np.random.default_rng(seed).integers(0, 256, (old[1], old[0], 3), dtype=np.uint8)
    expected = np.einsum(
        "yh,hwc,xw->yxc", overlap(new[1], old[1]), image.astype(float), overlap(new[0], old[0])
    )
    result = area_average(image, new)
    assert result.dtype == np.uint8
    assert result.flags.c_contiguous
    assert np.abs(result - expected).max() <= 0.501


def test_halving_averages_four_pixels():
    image = np.random.default_rng(0).integers(0, 256, (8, 12, 3), dtype=np.uint8)
    fours = image.reshape(4, 2, 6, 2, 3).astype(int).sum(axis=(1, 3))
    np.testing.assert_array_equal(area_average(image, (6, 4)), (fours + 2) // 4)


@given(old=st.tuples(SIDES, SIDES), new=st.tuples(SIDES, SIDES), seed=st.integers(0, 99))
def test_nearest_takes_the_pixel_under_the_centre(old, new, seed):
    ids = np.random.default_rng(seed).integers(0, 65536, (old[1], old[0]), dtype=np.uint16)
    result = nearest(ids, new)
    assert result.shape == (new[1], new[0])
    rows = [int(np.floor(((2 * i + 1) * old[1]) / (2 * new[1]))) for i in range(new[1])]
    columns = [int(np.floor(((2 * i + 1) * old[0]) / (2 * new[0]))) for i in range(new[0])]
    np.testing.assert_array_equal(result, ids[np.ix_(rows, columns)])


@pytest.mark.parametrize("new", [(26, 18), (6, 4), (5, 7), (13, 9), (36, 40)])
def test_nearest_agrees_with_pillow(new):
    """Of sizes whose centres never fall between two pixels, where Pillow's rounding decides."""
    ids = np.random.default_rng(0).integers(0, 256, (9, 13), dtype=np.uint8)
    expected = Image.fromarray(ids).resize(new, Image.Resampling.NEAREST)
    np.testing.assert_array_equal(nearest(ids, new), np.asarray(expected))


@given(size=st.tuples(SIDES, SIDES), factor=st.integers(1, 5), seed=st.integers(0, 99))
def test_enlarged_ids_come_back_unchanged(size, factor, seed):
    ids = np.random.default_rng(seed).integers(0, 65536, (size[1], size[0]), dtype=np.uint16)
    larger = nearest(ids, (size[0] * factor, size[1] * factor))
    np.testing.assert_array_equal(nearest(larger, size), ids)


@given(size=st.tuples(st.integers(200, 8000), st.integers(200, 8000)), factor=st.floats(0.05, 1.0))
def test_a_rounded_scaling_has_the_same_shape(size, factor):
    scaled = tuple(max(1, round(side * factor)) for side in size)
    assert same_shape(size, scaled)
    assert same_shape(scaled, size)


@pytest.mark.parametrize(
    ("one", "other"), [((480, 360), (360, 480)), ((480, 360), (480, 362)), ((640, 480), (320, 200))]
)
def test_other_shapes_are_told_apart(one, other):
    assert not same_shape(one, other)
    assert not same_shape(other, one)


@given(size=st.tuples(st.integers(1, 9000), st.integers(1, 9000)), limit=st.integers(1, 5000))
def test_fitted_size_is_largest_within_the_limit(size, limit):
    fitted = fitted_size(size, limit)
    if max(size) <= limit:
        assert fitted == size
    else:
        assert max(fitted) == limit
        assert min(fitted) == max(1, round(min(size) * limit / max(size)))
    assert fitted_size(size, None) == size


def test_levels_halve_and_round_down():
    assert [level_size((509, 3), level) for level in range(4)] == [
        (509, 3),
        (254, 1),
        (127, 1),
        (63, 1),
    ]
