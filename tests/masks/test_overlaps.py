# SPDX-License-Identifier: GPL-3.0-or-later
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cgc_addon.masks.overlaps import different, more_shared


def test_of_masks_that_are_one_the_better_is_kept() -> None:
    flat = np.zeros((4, 100), np.float32)
    flat[0, :50] = flat[1, :48] = flat[2, 50:] = 1
    flat[3, 10:50] = 1
    chosen, same_as = different(flat @ flat.T, np.array([0.9, 0.95, 0.8, 0.92], np.float32))
    assert chosen.tolist() == [1, 2]
    assert same_as.tolist() == [1, 1, 2, 1]


@pytest.mark.parametrize(("shared", "masks"), [(60, 2), (68, 2), (72, 1), (90, 1)])
def test_masks_are_the_same_above_an_iou_of_seven_tenths(shared: int, masks: int) -> None:
    """Two masks on 100 pixels; a smaller one inside is a part, and parts are to be found."""
    flat = np.zeros((2, 100), np.float32)
    flat[0], flat[1, :shared] = 1, 1
    assert len(different(flat @ flat.T, np.array([0.9, 0.8], np.float32))[0]) == masks


@given(st.integers(0, 4), st.integers(0, 4), st.integers(0, 2**32 - 1))
def test_counts_of_old_masks_are_completed_by_those_of_new_ones(old, new, seed) -> None:
    masks = np.random.default_rng(seed).random((old + new, 30)) < 0.5
    before = more_shared(np.zeros((0, 0), np.float32), masks[:0], masks[:old])
    shared = more_shared(before, masks[:old], masks[old:])
    expected = [[np.count_nonzero(one & other) for other in masks] for one in masks]
    np.testing.assert_array_equal(shared, np.reshape(expected, shared.shape))
