# SPDX-License-Identifier: GPL-3.0-or-later
"""Sorting beside the window: the newest wish counts, and nothing is left running."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

pytest.importorskip("bpy")

from cgc_addon.blender.drawing.ordering import Order
from cgc_addon.blender.drawing.sorter import Sorter


def order_of(number: int) -> Order:
    return Order(np.array([number]), np.zeros(1, dtype=np.int32))


def wait_until(condition, seconds: float = 5.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.002)


def test_the_newest_wish_is_worked_at_and_those_between_are_not() -> None:
    sorter, go_on, begun = Sorter(), threading.Event(), []

    def calculate(number: int):
        def run() -> Order:
            begun.append(number)
            go_on.wait(5.0)
            return order_of(number)

        return run

    sorter.ask((0,), calculate(0))
    wait_until(lambda: begun == [0])
    for number in (1, 2, 3):
        sorter.ask((number,), calculate(number))
    assert sorter.newest() is None
    assert sorter.busy
    go_on.set()
    wait_until(lambda: not sorter.busy)
    key, order = sorter.newest()
    assert key == (3,)
    assert order.gaussians[0] == 3
    assert begun == [0, 3]
    sorter.close()


def test_the_same_wish_is_not_worked_at_twice() -> None:
    sorter, calls = Sorter(), []

    def run() -> Order:
        calls.append(1)
        return order_of(1)

    for _ in range(3):
        sorter.ask(("same",), run)
        wait_until(lambda: not sorter.busy)
    assert len(calls) == 1
    sorter.close()


def test_going_back_to_what_is_known_drops_the_wish_between() -> None:
    sorter = Sorter()
    sorter.ask((1,), lambda: order_of(1))
    wait_until(lambda: not sorter.busy)
    sorter.ask((1,), lambda: order_of(2))
    assert not sorter.busy
    assert sorter.newest()[1].gaussians[0] == 1
    sorter.close()


def test_a_calculation_that_fails_says_so_and_does_not_end_the_thread() -> None:
    sorter = Sorter()
    sorter.ask((1,), lambda: 1 / 0)
    wait_until(lambda: not sorter.busy)
    with pytest.raises(ZeroDivisionError):
        sorter.newest()
    sorter.ask((2,), lambda: order_of(2))
    wait_until(lambda: sorter.newest() is not None)
    sorter.close()


def test_closing_leaves_no_thread() -> None:
    before = threading.active_count()
    sorter = Sorter()
    sorter.ask((1,), lambda: order_of(1))
    sorter.close()
    assert threading.active_count() == before
    assert sorter.newest() is None


def test_without_wishes_the_thread_ends_and_begins_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cgc_addon.blender.drawing.sorter.IDLE_SECONDS", 0.01)
    before = threading.active_count()
    sorter = Sorter()
    for number in (1, 2):
        sorter.ask((number,), lambda number=number: order_of(number))
        wait_until(lambda number=number: (sorter.newest() or [None])[0] == (number,))
        wait_until(lambda: threading.active_count() == before)
    sorter.close()
