# SPDX-License-Identifier: GPL-3.0-or-later
import pytest

from cgc_addon.errors import Interrupted
from cgc_addon.progress import track, track_groups


def test_each_item_is_announced_and_the_end_is_told():
    messages = []
    assert list(track("abc", "Reading", messages.append)) == ["a", "b", "c"]
    assert [(message.done, message.total) for message in messages] == [
        (0, 3),
        (1, 3),
        (2, 3),
        (3, 3),
    ]


def test_an_unknown_length_is_zero_until_the_end():
    messages = []
    list(track(iter("ab"), "Reading", messages.append))
    assert [(message.done, message.total) for message in messages] == [(0, 0), (1, 0), (2, 2)]


def test_a_stop_comes_between_two_items():
    done = []
    with pytest.raises(Interrupted):
        for item in track(range(5), "Reading", should_stop=lambda: len(done) == 2):
            done.append(item)
    assert done == [0, 1]


def test_of_groups_items_are_counted_also_those_of_an_earlier_call():
    messages = []
    assert list(track_groups("abc", 2, "Reading", messages.append, before=4)) == ["ab", "c"]
    assert [(message.done, message.total) for message in messages] == [(4, 7), (6, 7), (7, 7)]
    messages.clear()
    assert not list(track_groups("", 2, "Reading", messages.append, before=3))
    assert [(message.done, message.total) for message in messages] == [(3, 3)]
