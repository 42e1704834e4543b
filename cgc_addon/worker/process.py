# SPDX-License-Identifier: GPL-3.0-or-later
"""A child process that exchanges messages with us; two threads keep its pipes empty."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress

from .lines import Message, decode, read_lines, write_line

KEPT_LINES = 40
"""Lines of stderr that are kept."""
MOST_FOREIGN_LINES = 1000
"""Lines on stdout that are no messages: a program that writes more of them is not the worker."""
LAST_READING_SECONDS = 0.5
"""How long reading may go on after the end, where another process still holds a pipe open."""


class Process:
    """A running child; nothing here waits for it longer than half a second."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        """Start the child, in a group of its own: a Ctrl-C in Blender's terminal is not for it.

        It stays in Blender's session, within which Linux compares priorities (see `__main__`).

        Raises:
            OSError: it cannot be started.
        """
        flags, group = 0, 0
        if sys.platform == "win32":
            flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
            flags |= subprocess.BELOW_NORMAL_PRIORITY_CLASS
            group = -1  # knows no such groups
        self._child = subprocess.Popen(
            list(command),
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(environment),
            creationflags=flags,
            process_group=group,
        )
        self._messages: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self._lines: deque[str] = deque(maxlen=KEPT_LINES)
        self._threads = [
            threading.Thread(target=target, name=f"worker {target.__name__}", daemon=True)
            for target in (self._read_messages, self._read_errors)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def pid(self) -> int:
        """Number of the process."""
        return self._child.pid

    def exit_code(self) -> int | None:
        """Return how the process ended, −n = by signal n; None while it runs.

        What it wrote before its end can then be read with `messages` and `last_lines`.
        """
        code = self._child.poll()
        while code is not None and self._threads:
            self._threads.pop().join(LAST_READING_SECONDS)
        return code

    def messages(self) -> list[Message]:
        """Return the messages that came since the last call."""
        found: list[Message] = []
        with suppress(queue.Empty):
            while True:
                found.append(self._messages.get_nowait())
        return found

    def last_lines(self) -> list[str]:
        """Return the last lines of stderr, and of stdout where they are no messages."""
        return list(self._lines)

    def send(self, message: Message) -> None:
        """Send a message; a process that is gone is found out by its exit code, not here."""
        if (pipe := self._child.stdin) is not None and not pipe.closed:
            with suppress(OSError):
                write_line(pipe.fileno(), message)

    def close_input(self) -> None:
        """Let the process see the end of its stdin."""
        if self._child.stdin is not None:
            with suppress(OSError):
                self._child.stdin.close()

    def terminate(self) -> None:
        """Ask the process to end; on Windows, end it."""
        with suppress(OSError):
            self._child.terminate()

    def kill(self) -> None:
        """End the process and, where groups exist, all that it started."""
        with suppress(OSError):
            if sys.platform != "win32" and self._child.poll() is None:
                os.killpg(self._child.pid, signal.SIGKILL)
            self._child.kill()

    def _read_messages(self) -> None:
        assert self._child.stdout is not None
        foreign = 0
        with self._child.stdout as pipe:
            for line in read_lines(pipe.fileno()):
                if (message := decode(line)) is not None:
                    self._messages.put(message)
                else:
                    self._lines.append(_text(line))
                    foreign += 1
                if foreign > MOST_FOREIGN_LINES:
                    break

    def _read_errors(self) -> None:
        assert self._child.stderr is not None
        with self._child.stderr as pipe:
            for line in read_lines(pipe.fileno()):
                self._lines.append(_text(line))


def _text(line: bytes) -> str:
    return line.decode("utf-8", "replace").rstrip()
