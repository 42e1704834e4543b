# SPDX-License-Identifier: GPL-3.0-or-later
"""Sorting beside the window: one thread, which always works at the newest wish."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Result = TypeVar("Result")
IDLE_SECONDS = 2.0
"""How long the thread waits for a next wish before it ends."""


class Sorter(Generic[Result]):
    """Runs one calculation after the other; a wish that is not begun gives way to a newer one."""

    def __init__(self) -> None:
        """Start nothing yet."""
        self._changed = threading.Condition()
        self._wish: tuple[tuple[Hashable, ...], Callable[[], Result]] | None = None
        self._working_at: tuple[Hashable, ...] | None = None
        self._result: tuple[tuple[Hashable, ...], Result] | None = None
        self._failure: Exception | None = None
        self._closed = False
        self._thread: threading.Thread | None = None

    def ask(self, key: tuple[Hashable, ...], calculate: Callable[[], Result]) -> None:
        """Wish for a result; `newest` has it once it is there.

        Args:
            key: what it is the result of; the same again changes nothing.
            calculate: returns it; called in the thread.
        """
        with self._changed:
            known = self._result is not None and self._result[0] == key
            if known or self._working_at == key:
                self._wish = None
                return
            self._wish = (key, calculate)
            self._changed.notify_all()
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="cgc sorter", daemon=True)
                self._thread.start()

    def newest(self) -> tuple[tuple[Hashable, ...], Result] | None:
        """Return the result calculated last, and its key.

        A defect in the calculation comes to light here.
        """
        with self._changed:
            if self._failure is not None:
                failure, self._failure = self._failure, None
                raise failure
            return self._result

    @property
    def busy(self) -> bool:
        """Whether a result is being calculated, or will be."""
        with self._changed:
            return self._wish is not None or self._working_at is not None

    def close(self, wait: float = 2.0) -> None:
        """Calculate nothing more, and wait some seconds for what has begun."""
        with self._changed:
            self._closed, self._wish, self._result = True, None, None
            self._changed.notify_all()
            thread = self._thread
        if thread is not None:
            thread.join(wait)

    def _work(self) -> None:
        while True:
            with self._changed:
                if self._wish is None and not self._closed:
                    self._changed.wait(IDLE_SECONDS)
                if self._wish is None:
                    self._thread = None
                    return
                key, calculate = self._wish
                self._wish, self._working_at = None, key
            result, failure = None, None
            try:
                result = calculate()
            except Exception as error:
                failure = error
            with self._changed:
                self._working_at, self._failure = None, failure
                if result is not None and not self._closed:
                    self._result = (key, result)
