# SPDX-License-Identifier: GPL-3.0-or-later
"""The child's standard streams: nothing but messages may ever reach the pipe to Blender."""

from __future__ import annotations

import os
import sys
import threading

from .lines import Message, write_line


def take_standard_streams() -> tuple[int, int]:
    """Keep stdin and stdout for messages and return their descriptors.

    From here on what Python or C code prints goes to stderr, what it reads from stdin is empty, and
    processes it starts inherit neither end of the pipe.
    """
    requests, answers = os.dup(0), os.dup(1)  # not inheritable, as all that Python opens
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return requests, answers


class Outlet:
    """Sends messages, whole and one at a time, from any thread."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._lock = threading.Lock()

    def send(self, message: Message) -> None:
        """Send a message; when nobody listens any more, drop it.

        A parent that is gone shows as the end of stdin. It must not show as an error in the middle
        of a job, which has work to save.
        """
        with self._lock:
            try:
                write_line(self._descriptor, message)
            except OSError:
                return
