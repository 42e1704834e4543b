# SPDX-License-Identifier: GPL-3.0-or-later
"""A label map and a list of corrections make another label map."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from cgc_addon.masks.corrections import (
    Correction,
    corrected,
    corrections_from_json,
    corrections_to_json,
    masks_of,
    merge,
    removal,
)

LABELS = arrays.arrays(np.uint16, st.tuples(st.integers(1, 6), st.integers(1, 6)),
                       elements=st.integers(0, 9))  # fmt: skip
CORRECTIONS = st.lists(
    st.builds(
        Correction,
        st.lists(st.integers(1, 12), min_size=1, max_size=3).map(tuple),
        st.integers(0, 12),
    ),
    max_size=4,
)


def test_wrong_masks_are_unlabelled_and_merged_ones_have_the_first_ones_number():
    labels = np.array([[0, 1, 2], [3, 4, 2]], np.uint8)
    after = corrected(labels, [removal([1]), merge([4, 2, 3])])
    assert after.tolist() == [[0, 0, 4], [4, 4, 4]]
    assert after.dtype == np.uint8
    assert labels.tolist() == [[0, 1, 2], [3, 4, 2]]
    assert masks_of(after) == {4: 4}
    assert masks_of(np.zeros((2, 2), np.uint8)) == {}


@given(LABELS, CORRECTIONS)
def test_as_if_pixels_were_changed_one_by_one(labels, corrections):
    expected = labels.copy()
    for one in corrections:
        into = one.into if one.into <= labels.max() else 0
        for place in np.ndindex(*labels.shape):
            if expected[place] in one.ids:
                expected[place] = into
    after = corrected(labels, corrections)
    assert np.array_equal(after, expected)
    assert (after[labels == 0] == 0).all()


@given(CORRECTIONS)
def test_they_go_to_json_and_back(corrections):
    assert corrections_from_json(corrections_to_json(corrections)) == tuple(corrections)


@pytest.mark.parametrize(
    "value",
    [None, {}, [3], [{}], [{"ids": 3, "into": 0}], [{"ids": [1]}], [{"ids": [True], "into": 0}],
     [{"ids": [70000], "into": 0}], [{"ids": [1], "into": -1}]],
)  # fmt: skip
def test_what_is_none_is_not_taken_for_one(value):
    assert corrections_from_json(value) is None
