# SPDX-License-Identifier: GPL-3.0-or-later
import threading
import time

import pytest

from cgc_addon.errors import CgcError, Interrupted
from cgc_addon.masks.parallel import in_parallel
from cgc_addon.progress import never


@pytest.mark.parametrize("at_once", [1, 3])
def test_every_item_is_worked_on_once(at_once: int) -> None:
    assert sorted(in_parallel(range(10), lambda item, _: item**2, at_once, never)) == [
        item**2 for item in range(10)
    ]


def test_as_many_work_at_once_as_may() -> None:
    together = threading.Barrier(3, timeout=10)
    assert sorted(in_parallel(range(6), lambda item, _: together.wait() * 0 + item, 3, never)) == [
        *range(6)
    ]


def test_stopping_ends_what_is_in_work_and_begins_nothing_more() -> None:
    begun, ended = [], []
    stop = threading.Event()

    def work(item: int, pause) -> None:
        begun.append(item)
        if len(begun) == 2:
            stop.set()
        try:
            for _ in range(1000):
                pause()
                time.sleep(0.01)
        finally:
            ended.append(item)

    with pytest.raises(Interrupted):
        list(in_parallel(range(100), work, 2, stop.is_set))
    assert sorted(begun) == sorted(ended) == [0, 1]


def test_a_failure_ends_the_others_and_is_told() -> None:
    ended = []

    def work(item: int, pause) -> None:
        if item == 0:
            raise CgcError("the first photo is damaged")
        try:
            while True:
                pause()
                time.sleep(0.01)
        finally:
            ended.append(item)

    with pytest.raises(CgcError, match="damaged"):
        list(in_parallel(range(2), work, 2, never))
    assert ended == [1]


def test_should_stop_is_asked_in_the_thread_that_waits() -> None:
    asked = set()

    def should_stop() -> bool:
        asked.add(threading.get_ident())
        return False

    list(in_parallel(range(4), lambda item, _: item, 2, should_stop))
    assert asked == {threading.get_ident()}
