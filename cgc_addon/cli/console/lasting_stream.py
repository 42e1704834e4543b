# SPDX-License-Identifier: GPL-3.0-or-later
"""Standard output and standard error of a process whose terminal may be closed at any moment.

The system makes writing fail first and sends its SIGHUP after that. What is written in between must
not end a job that is about to be asked to save.
"""

from __future__ import annotations

import errno
import sys
from typing import Any, TextIO


class LastingStream:
    """Writes to a stream of `sys`; what a terminal that is gone does not take is lost."""

    def __init__(self, name: str) -> None:
        """Remember the stream by name, `stdout` or `stderr`: tests and hosts replace it."""
        self._name = name

    @property
    def _stream(self) -> TextIO:
        stream = getattr(sys, self._name)
        return getattr(stream, "rich_proxied_file", stream)  # bars put one before it

    def write(self, text: str) -> int:
        """Write what can be written.

        Raises:
            OSError: what it is written to is no terminal that is gone, as a full disk.
        """
        try:
            return self._stream.write(text)
        except OSError as error:
            _raise_unless_gone(error)
            return len(text)

    def flush(self) -> None:
        """Send what was written on its way.

        Raises:
            OSError: as `write`.
        """
        try:
            self._stream.flush()
        except OSError as error:
            _raise_unless_gone(error)

    def __getattr__(self, name: str) -> Any:
        """Return what else the stream can do."""
        return getattr(self._stream, name)


def _raise_unless_gone(error: OSError) -> None:
    if error.errno != errno.EIO:
        raise error
