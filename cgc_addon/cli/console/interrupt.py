# SPDX-License-Identifier: GPL-3.0-or-later
"""Ctrl-C, `kill` or a closed terminal asks a job to stop between two steps; twice ends it now."""

from __future__ import annotations

import os
import signal
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from ...progress import ShouldStop
from ...signals import stop_signals_handled
from .sink import Sink


@contextmanager
def stop_on_signals(sink: Sink) -> Iterator[ShouldStop]:
    """Turn SIGINT, SIGTERM and SIGHUP into a flag while the block runs; yield the question for it.

    Raises:
        KeyboardInterrupt: where the program is when a second one comes.
    """
    asked: list[int] = []  # plain: a handler may run in the middle of anything, a lock's too

    def handle(number: int, _frame: FrameType | None) -> None:
        asked.append(number)
        if signal.Signals(number).name == "SIGHUP":
            _leave_closed_terminal()
        if len(asked) > 1:
            raise KeyboardInterrupt
        name = signal.Signals(number).name
        # RuntimeError: it came in the middle of another line, which may not be interrupted.
        with suppress(OSError, RuntimeError):
            sink.say(f"{name}: stopping after this step and saving; once more ends at once.")

    with stop_signals_handled(handle):
        yield lambda: bool(asked)


def _leave_closed_terminal() -> None:
    """Send what is still said nowhere: writing to a terminal that is gone would fail."""
    for descriptor in (1, 2):
        with suppress(OSError):
            if stat.S_ISCHR(os.fstat(descriptor).st_mode) and not os.isatty(descriptor):
                nothing = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nothing, descriptor)
                os.close(nothing)
