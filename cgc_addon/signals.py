# SPDX-License-Identifier: GPL-3.0-or-later
"""The signals that ask a program to end: Ctrl-C, `kill`, and the terminal that goes.

Some libraries take them for themselves when they are imported, and end the process without a word
of Python. They are imported within `handlers_kept`.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

ASK_TO_STOP = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)
"""What this system has of them."""

Handler = Callable[[int, FrameType | None], object]


@contextmanager
def stop_signals_handled(handle: Handler) -> Iterator[None]:
    """Let `handle` take the signals that ask to stop while the block runs.

    A SIGHUP that is ignored, as under `nohup`, stays so. Nothing is changed outside the main
    thread, where no handlers can be set.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    previous = {
        number: signal.signal(number, handle) for number in ASK_TO_STOP if not _is_ignored(number)
    }
    try:
        yield
    finally:
        for number, handler in previous.items():
            # None: a handler of Blender's own, which Python cannot put back.
            signal.signal(number, signal.SIG_DFL if handler is None else handler)


@contextmanager
def handlers_kept() -> Iterator[None]:
    """Import what installs signal handlers of its own within this block; ours stay."""
    try:
        yield
    finally:
        if threading.current_thread() is threading.main_thread():
            for number in ASK_TO_STOP:
                # Python's record of it: what a library did to the system's does not show there.
                if (handler := signal.getsignal(number)) is not None:
                    signal.signal(number, handler)


def _is_ignored(number: signal.Signals) -> bool:
    return number.name == "SIGHUP" and signal.getsignal(number) == signal.SIG_IGN
