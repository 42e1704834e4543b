# SPDX-License-Identifier: GPL-3.0-or-later
"""Ctrl-C asks a job to stop between two steps; a second one ends it at once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from ...progress import ShouldStop
from .sink import Sink


@contextmanager
def stop_on_signals(sink: Sink) -> Iterator[ShouldStop]:
    """Turn SIGINT and SIGTERM into a flag while the block runs; yield the question for it."""
    asked = threading.Event()

    def handle(number: int, _frame: FrameType | None) -> None:
        if asked.is_set():
            raise KeyboardInterrupt
        asked.set()
        name = signal.Signals(number).name
        sink.say(f"{name}: stopping after this step and saving; once more ends at once.")

    if threading.current_thread() is not threading.main_thread():
        yield asked.is_set
        return
    previous = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked.is_set
    finally:
        for number, handler in previous.items():
            # None: a handler of Blender's own, which Python cannot put back.
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
