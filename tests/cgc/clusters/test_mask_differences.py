# SPDX-License-Identifier: GPL-3.0-or-later
"""What is left of masks without those in them, against masks that are drawn and counted."""

from __future__ import annotations

import numpy as np
import pytest

from cgc_addon.cgc.clusters.mask_differences import differences

SIDE = 20


def box(left: int, top: int, right: int, bottom: int) -> np.ndarray:
    mask = np.zeros((SIDE, SIDE), np.bool_)
    mask[top:bottom, left:right] = True
    return mask


def left_of(masks: list[np.ndarray]) -> list[np.ndarray]:
    """Return the differences of masks as pixels; every pixel is a piece of its own."""
    inside = np.stack([mask.reshape(-1) for mask in masks], axis=1).astype(np.float32)
    found, sizes = differences(inside, inside.sum(axis=0), inside.T @ inside)
    assert sizes == pytest.approx(found.sum(axis=0))
    return [one.reshape(SIDE, SIDE) > 0 for one in found.T]


def are(found: list[np.ndarray], *expected: np.ndarray) -> bool:
    return {one.tobytes() for one in found} == {one.tobytes() for one in expected}


def test_a_saucer_is_its_pile_without_the_cup() -> None:
    pile, cup = box(2, 2, 18, 18), box(5, 5, 13, 13)
    assert are(left_of([pile, cup]), pile & ~cup)


def test_a_bowl_is_its_pile_without_all_fruit_and_without_each() -> None:
    pile, apple, pear = box(2, 2, 18, 18), box(3, 3, 9, 12), box(10, 3, 16, 12)
    expected = pile & ~apple, pile & ~pear, pile & ~apple & ~pear
    assert are(left_of([pile, apple, pear]), *expected)


def test_what_a_mask_shows_already_is_not_added() -> None:
    pile, left = box(2, 2, 18, 18), box(2, 2, 10, 18)
    assert left_of([pile, left, pile & ~left]) == []


@pytest.mark.parametrize(
    "other",
    [
        box(2, 2, 18, 17),  # all but a rim
        box(2, 2, 5, 5),  # hardly anything
        box(10, 2, 20, 12),  # not within it
    ],
)
def test_masks_that_are_nearly_one_or_hardly_nested_leave_nothing(other) -> None:
    assert left_of([box(2, 2, 18, 18), other]) == []


def test_no_masks_have_no_differences() -> None:
    inside, sizes = differences(
        np.zeros((3, 0), np.float32), np.zeros(0, np.float32), np.zeros((0, 0), np.float32)
    )
    assert inside.shape == (3, 0)
    assert sizes.shape == (0,)
