# SPDX-License-Identifier: GPL-3.0-or-later
"""Some items at a time in threads, stopped or paused from the thread that waits for them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TypeVar

from ..errors import Interrupted
from ..progress import ShouldStop

Item = TypeVar("Item")
Result = TypeVar("Result")

STOP_INTERVAL = 0.1
"""Seconds between two questions whether to stop."""


def in_parallel(
    items: Iterable[Item],
    work: Callable[[Item, Callable[[], None]], Result],
    at_once: int,
    should_stop: ShouldStop,
) -> Iterator[Result]:
    """Yield the result of each item as soon as it is there, in whatever order.

    Args:
        items: to be worked on; taken one by one, so that a pause within `should_stop` holds back
            all that have not begun.
        work: called in a thread with an item and a function to call now and then, which raises
            `Interrupted` once the work is to end.
        at_once: items in work at the same time.
        should_stop: asked in the calling thread only.

    Raises:
        Interrupted: `should_stop` said so; what was in work has ended.
        Exception: what `work` raised first; what else was in work has ended.
    """
    stop = threading.Event()

    def pause() -> None:
        if stop.is_set():
            raise Interrupted("another thread ended")

    waiting = iter(items)
    running: set[Future[Result]] = set()
    with ThreadPoolExecutor(max(1, at_once)) as pool:
        try:
            while True:
                while len(running) < max(1, at_once):
                    if should_stop():
                        raise Interrupted("working in parallel")
                    try:
                        item = next(waiting)
                    except StopIteration:
                        break
                    running.add(pool.submit(work, item, pause))
                if not running:
                    return
                done, running = wait(running, STOP_INTERVAL, FIRST_COMPLETED)
                if should_stop():
                    raise Interrupted("working in parallel")
                for future in done:
                    yield future.result()
        finally:
            stop.set()
