# SPDX-License-Identifier: GPL-3.0-or-later
"""Run lengths and polygons as COCO defines them.

The texts were written by COCO's own tool (pycocotools 2.0.11, `mask.encode`) for the masks beside
them.
"""

from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cgc_addon.masks.foreign.run_length import counts_of_text, mask_of_counts, mask_of_polygons

SMALL = """
1....
.11..
.11..
.11..
.....
.....
....1
"""


def small_mask():
    return np.array([[c == "1" for c in line] for line in SMALL.split()])


def counts_of_mask(mask):
    """Return the run lengths of a mask, one by one."""
    counts, value = [0], False
    for pixel in mask.T.ravel():
        if pixel != value:
            counts.append(0)
            value = pixel
        counts[-1] += 1
    return counts


def text_of_counts(counts):
    """Return the text that stands for run lengths, bit by bit."""
    text = ""
    for index, count in enumerate(counts):
        number = count - counts[index - 2] if index > 2 else count
        more = True
        while more:
            group, number = number & 31, number >> 5
            more = number != (-1 if group & 16 else 0)
            text += chr(48 + group + 32 * more)
    return text


def test_the_text_of_coco_s_own_tool_is_read():
    counts = counts_of_text("0172M0<N")
    assert counts.tolist() == counts_of_mask(small_mask())
    np.testing.assert_array_equal(mask_of_counts(counts, 7, 5), small_mask())
    y, x = np.mgrid[:60, :80]
    disc = (x - 40) ** 2 + (y - 30) ** 2 < 20**2
    text = "TX1=]14L4M2M4M2N2O0O2N2O0O2O0O2O000000000000000000000001N101N101N2N101N2N3L3N3L4LjT1"
    np.testing.assert_array_equal(mask_of_counts(counts_of_text(text), 60, 80), disc)


@settings(deadline=None)
@given(arrays(bool, st.tuples(st.integers(1, 40), st.integers(1, 40))))
def test_any_mask_comes_back(mask):
    counts = counts_of_mask(mask)
    assert counts_of_text(text_of_counts(counts)).tolist() == counts
    np.testing.assert_array_equal(mask_of_counts(counts, *mask.shape), mask)


@settings(deadline=None)
@given(st.lists(st.integers(0, 1 << 31), max_size=40))
def test_any_counts_come_back_from_their_text(counts):
    assert counts_of_text(text_of_counts(counts)).tolist() == counts


@settings(deadline=None)
@given(st.text(max_size=30))
def test_any_text_is_read_or_refused(text):
    with suppress(ValueError):
        assert mask_of_counts(counts_of_text(text), 5, 4).shape == (5, 4)


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ([], "add up to 0"),
        ([6], "larger than the photo"),
        ([1, 2], "add up to 3 pixels instead of 2 × 2"),
        ([5, -1], "negative"),
        ([2.0, 2.0], "whole numbers"),
        ([[4]], "no list"),
        ([1 << 62, 1 << 62], "larger"),
    ],
)
def test_counts_that_do_not_fit_are_refused(counts, words):
    with pytest.raises(ValueError, match=words):
        mask_of_counts(counts, 2, 2)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("0 1", "character"),
        ("€", "character"),
        ("0P", "within a number"),
        ("o" * 20 + "0", "large"),
    ],
)
def test_damaged_texts_are_refused(text, words):
    with pytest.raises(ValueError, match=words):
        counts_of_text(text)


def test_a_polygon_covers_the_pixels_whose_centres_it_encloses():
    square = mask_of_polygons([[1, 2, 4, 2, 4, 5, 1, 5]], 8, 6)
    expected = np.zeros((8, 6), bool)
    expected[2:5, 1:4] = True
    np.testing.assert_array_equal(square, expected)
    almost = mask_of_polygons([[1.6, 2, 4, 2, 4, 5, 1.6, 5]], 8, 6)
    expected[:, 1] = False
    np.testing.assert_array_equal(almost, expected)


def test_polygons_of_one_object_add_up_and_may_leave_the_photo():
    mask = mask_of_polygons([[-5, -5, 2, -5, 2, 2, -5, 2], [4, 4, 99, 4, 99, 99, 4, 99]], 6, 6)
    expected = np.zeros((6, 6), bool)
    expected[:2, :2] = expected[4:, 4:] = True
    np.testing.assert_array_equal(mask, expected)


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(-5, 25, width=32), st.floats(-5, 25, width=32)), min_size=3, max_size=8
    )
)
def test_polygons_follow_the_even_odd_rule(corners):
    mask = mask_of_polygons([[value for corner in corners for value in corner]], 20, 20)
    for row, column in [(0, 0), (3, 17), (10, 10), (19, 5)]:
        x, y = column + 0.5, row + 0.5
        crossings = 0
        for (x0, y0), (x1, y1) in zip(corners, corners[1:] + corners[:1], strict=True):
            if (y0 <= y < y1) or (y1 <= y < y0):
                crossings += x0 + (y - y0) * (x1 - x0) / (y1 - y0) <= x
        assert mask[row, column] == (crossings % 2 == 1)


@pytest.mark.parametrize("polygon", [[], [1, 2, 3, 4], [1, 2, 3, 4, 5, 6, 7], [0, 0, 1, 1, "a", 2]])
def test_polygons_without_three_corners_are_refused(polygon):
    with pytest.raises(ValueError, match=r"corner|could not convert"):
        mask_of_polygons([polygon], 4, 4)


def test_corners_that_are_no_numbers_are_refused():
    with pytest.raises(ValueError, match="no number"):
        mask_of_polygons([[0, 0, 1, float("nan"), 2, 2]], 4, 4)
