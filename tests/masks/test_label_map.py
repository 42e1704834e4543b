# SPDX-License-Identifier: GPL-3.0-or-later
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cgc_addon.errors import CgcError
from cgc_addon.masks.label_map import flatten, without_specks


def disc(radius: float, size: int = 40) -> np.ndarray:
    rows, columns = np.mgrid[:size, :size] - (size - 1) / 2
    return np.hypot(rows, columns) <= radius


def test_small_masks_end_on_top_in_whatever_order_they_come() -> None:
    masks = np.stack([disc(4), disc(18), disc(10)])
    labels = flatten(masks)
    assert labels.dtype == np.uint16
    for order in ([2, 0, 1], [1, 2, 0]):
        np.testing.assert_array_equal(flatten(masks[order]), labels)
    assert labels[20, 20] == 3
    assert labels[20, 27] == 2
    assert labels[20, 35] == 1
    assert labels[0, 0] == 0


def test_no_masks_give_an_empty_map() -> None:
    labels = flatten(np.zeros((0, 3, 5), bool))
    assert labels.shape == (3, 5)
    assert not labels.any()


def test_more_masks_than_ids_are_refused() -> None:
    with pytest.raises(CgcError, match="65535"):
        flatten(np.zeros((65_536, 1, 1), bool))


@given(st.integers(0, 12), st.integers(0, 2**32 - 1))
def test_a_pixel_has_an_id_just_where_a_mask_is(count: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    masks = generator.random((count, 6, 7)) < generator.random((count, 1, 1))
    labels = flatten(masks)
    np.testing.assert_array_equal(labels > 0, masks.any(axis=0))
    areas = masks.sum(axis=(1, 2))
    for row, column in np.argwhere(labels > 0):
        # The smallest of the masks there: as many are larger as its number says at least.
        smallest = areas[masks[:, row, column]].min()
        assert labels[row, column] > np.count_nonzero(areas > smallest)


def test_specks_and_holes_go_and_the_rest_stays() -> None:
    mask = disc(15)
    dirty = mask.copy()
    dirty[20, 20] = dirty[15, 25] = False
    dirty[1, 1] = dirty[38, 2] = True
    np.testing.assert_array_equal(without_specks(dirty, 5), mask)


def test_the_largest_island_stays_however_small() -> None:
    mask = np.zeros((9, 9), bool)
    mask[2, 2:5] = mask[7, 7] = True
    cleaned = without_specks(mask, 30)
    assert cleaned.sum() == 3
    assert cleaned[2, 3]


@given(st.integers(0, 2**32 - 1))
def test_cleaning_twice_is_cleaning_once(seed: int) -> None:
    mask = np.random.default_rng(seed).random((14, 14)) < 0.6
    once = without_specks(mask, 6)
    np.testing.assert_array_equal(without_specks(once, 6), once)


def regions_turned_over(mask: np.ndarray, inside: bool, smallest: float) -> np.ndarray:
    """Turn small regions over, found by spreading from pixel to pixel over the whole mask."""
    result, seen = mask.copy(), np.zeros_like(mask)
    regions = []
    for start in np.argwhere(mask == inside).tolist():
        if seen[tuple(start)]:
            continue
        region, waiting = [], [start]
        seen[tuple(start)] = True
        while waiting:
            row, column = waiting.pop()
            region.append((row, column))
            for y in range(max(0, row - 1), min(mask.shape[0], row + 2)):
                for x in range(max(0, column - 1), min(mask.shape[1], column + 2)):
                    if mask[y, x] == inside and not seen[y, x]:
                        seen[y, x] = True
                        waiting.append([y, x])
        regions.append(region)
    largest = max(regions, key=len, default=None)
    for region in regions:
        if len(region) < smallest and not (inside and region is largest):
            result[tuple(np.transpose(region))] = not inside
    return result


@given(
    st.tuples(st.integers(1, 16), st.integers(1, 16)),
    st.tuples(*[st.integers(0, 6)] * 4),
    st.integers(0, 40),
    st.floats(0.2, 0.95),
    st.integers(0, 2**32 - 1),
)
def test_looking_at_the_mask_alone_cleans_like_looking_at_the_whole_photo(
    size, free, smallest, filled, seed
) -> None:
    """With masks that touch edges of the photo or leave a narrow strip there."""
    mask = np.random.default_rng(seed).random(size) < filled
    rows, columns = np.ogrid[: size[0], : size[1]]
    top, bottom, left, right = free
    mask &= (rows >= top) & (rows < size[0] - bottom)
    mask &= (columns >= left) & (columns < size[1] - right)
    if not mask.any():
        return
    expected = regions_turned_over(mask, False, smallest)
    expected = regions_turned_over(expected, True, smallest)
    np.testing.assert_array_equal(without_specks(mask, smallest), expected)
