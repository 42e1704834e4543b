# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cgc_addon import ranks
from cgc_addon.errors import CgcError
from cgc_addon.progress import track_groups
from cgc_addon.ranks import ALONE, Alone, agreed, in_order, share

sizes = st.integers(1, 9)
items = st.lists(st.integers())


@given(items, sizes)
def test_each_item_is_for_one_process_and_comes_back_in_order(items, size) -> None:
    assert in_order([share(items, Alone(rank, size)) for rank in range(size)]) == items


@given(items, sizes)
def test_in_each_round_each_process_has_one_item_at_most(items, size) -> None:
    found = list(track_groups(items, size, "Looking"))
    assert [item for one in found for item in one] == items
    assert all(1 <= len(one) <= size for one in found)
    for rank in range(size):
        shares = [item for one in found for item in share(one, Alone(rank, size))]
        assert shares == share(items, Alone(rank, size))


def test_nothing_is_lost_where_it_is_false() -> None:
    assert in_order([[None, 0], [False]]) == [None, False, 0]


def test_one_process_asks_and_does_everything_itself() -> None:
    def no_room() -> None:
        raise CgcError("No room.")

    def stop() -> bool:
        return True

    assert agreed(stop, ALONE) is stop
    assert ALONE.any(True)
    assert not ALONE.any(False)
    assert ALONE.gather("mine") == ["mine"]
    assert ALONE.first_does(lambda: 3) == 3
    with pytest.raises(CgcError, match="No room"):
        ALONE.first_does(no_room)


def test_the_examples_run() -> None:
    assert doctest.testmod(ranks).failed == 0
