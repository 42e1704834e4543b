# SPDX-License-Identifier: GPL-3.0-or-later
"""Ctrl-C in the terminal of a Blender that waits for its worker."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def counted_interrupts() -> Iterator[Callable[[], int]]:
    """Count Ctrl-C instead of raising KeyboardInterrupt while the block runs; yield the count."""
    count = 0

    def handle(_number: int, _frame: FrameType | None) -> None:
        nonlocal count
        count += 1

    if threading.current_thread() is not threading.main_thread():  # signals are the main thread's
        yield lambda: count
        return
    previous = signal.signal(signal.SIGINT, handle)
    try:
        yield lambda: count
    finally:
        # None: a handler of Blender's own, which Python cannot put back.
        signal.signal(signal.SIGINT, signal.SIG_DFL if previous is None else previous)
