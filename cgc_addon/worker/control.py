# SPDX-License-Identifier: GPL-3.0-or-later
"""What the parent asks for, as the running job learns of it."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from queue import SimpleQueue
from types import FrameType

from ..signals import stop_signals_handled
from .lines import Message, decode, read_lines

PATIENCE = 30.0
"""Seconds a job may take to stop and save once the parent is gone."""
PARENT_INTERVAL = 1.0
"""Seconds between two looks at the parent."""
PAUSE_INTERVAL = 0.05
"""Seconds between two looks at whether a pause is over."""


@dataclass(frozen=True)
class Job:
    """One verb to run."""

    id: str
    arguments: tuple[str, ...]
    """As on the command line: the verb, then its arguments."""


class Control:
    """Carries the parent's wishes from the thread that reads them to the main thread's job.

    Plain attributes and a SimpleQueue, no locks: a signal handler may call this at any moment.
    """

    def __init__(self, send: Callable[[Message], None]) -> None:
        self._send = send
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._job: Job | None = None
        self._stop = self._paused = self._leaving = False

    @property
    def stopping(self) -> bool:
        """Whether the job was asked to stop."""
        return self._stop

    def handle(self, line: bytes) -> None:
        """Follow one request of the parent; answer with an error what makes no sense."""
        request = decode(line)
        kind = request["type"] if request else None
        if kind == "run" and request:
            self._accept(request)
        elif kind == "pause":
            self._paused = self._job is not None
        elif kind == "resume":
            self._paused = False
        elif kind == "stop":
            self._stop = self._job is not None
        elif kind == "quit":
            self.leave()
        elif kind is not None:
            self._refuse(None, f"The worker knows no request called {kind!r}.")
        else:
            start = line[:60].decode("utf-8", "replace")
            self._refuse(None, f"The worker was sent a line that is no request: {start!r}.")

    def leave(self) -> None:
        """Stop the job and end the process; whatever does not end in time is ended."""
        if not self._leaving:
            self._leaving = self._stop = True
            self._jobs.put(None)
            last = threading.Timer(PATIENCE, os._exit, (1,))
            last.daemon = True
            last.start()

    def next_job(self) -> Job | None:
        """Wait for a job; None: there will be no more."""
        job = self._jobs.get()
        return None if self._leaving else job

    def finish(self) -> None:
        """Be ready for the next job; called before the end of this one is told."""
        self._job = None

    def should_stop(self) -> bool:
        """Tell the job whether to stop; while it is to pause, do not return."""
        if self._paused and not self._stop:
            job = self._job.id if self._job else None
            self._send({"type": "paused", "id": job})
            while self._paused and not self._stop:
                time.sleep(PAUSE_INTERVAL)
            self._send({"type": "resumed", "id": job})
        return self._stop

    def _accept(self, request: Message) -> None:
        name, arguments = request.get("id"), request.get("arguments")
        if self._job is not None:
            self._refuse(name, "A job is running; the worker does one at a time. Stop it first.")
        elif (
            isinstance(name, str)
            and isinstance(arguments, list)
            and all(isinstance(argument, str) for argument in arguments)
        ):
            self._stop, self._paused = self._leaving, False
            self._job = Job(name, tuple(arguments))
            self._jobs.put(self._job)
        else:
            self._refuse(name, "A run needs an id (text) and arguments (a list of texts).")

    def _refuse(self, name: object, text: str) -> None:
        self._send({"type": "error", "id": name, "text": text})


def obey(descriptor: int, control: Control) -> None:
    """Follow the requests that come over a pipe, in a thread; its end means that we leave."""

    def read() -> None:
        for line in read_lines(descriptor):
            if line.strip():
                control.handle(line)
        control.leave()

    threading.Thread(target=read, name="requests", daemon=True).start()


def leave_with_parent(control: Control) -> None:
    """Leave when the parent process ends, though another process may still hold our stdin open.

    On Windows no process inherits the pipe, so that the end of stdin is enough.
    """
    if os.name != "posix":
        return
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(PARENT_INTERVAL)
        control.leave()

    threading.Thread(target=watch, name="parent", daemon=True).start()


@contextmanager
def leaving_on_signals(control: Control) -> Iterator[Callable[[], bool]]:
    """Let signals end job and process with everything saved; a second one, at once.

    Yields:
        Whether one came.
    """
    came: list[int] = []

    def handle(number: int, _frame: FrameType | None) -> None:
        came.append(number)
        already = control.stopping
        control.leave()
        if already:
            raise KeyboardInterrupt

    with stop_signals_handled(handle):
        yield lambda: bool(came)
