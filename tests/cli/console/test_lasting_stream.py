# SPDX-License-Identifier: GPL-3.0-or-later
import errno
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

import pytest

pytest.importorskip("rich")

from cgc_addon.cli.console.lasting_stream import LastingStream
from cgc_addon.cli.console.plain_text import PlainText
from cgc_addon.cli.console.terminal import Terminal
from cgc_addon.progress import Progress


@contextmanager
def a_terminal_that_is_gone(monkeypatch: pytest.MonkeyPatch) -> Iterator[TextIO]:
    """Make both streams a terminal that somebody closes, and no SIGHUP comes yet.

    No fixture: after these pytest puts streams of its own in place.
    """
    if not hasattr(os, "openpty"):
        pytest.skip("this system has no pseudo-terminals")
    ours, theirs = os.openpty()
    stream = os.fdopen(theirs, "w", buffering=1)
    os.close(ours)
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", stream)
        patched.setattr(sys, "stderr", stream)
        yield stream
    with pytest.raises(OSError, match="error"):  # what is left in its buffer
        stream.close()


@pytest.mark.parametrize("kind", [Terminal, PlainText])
def test_all_that_is_said_to_a_terminal_that_is_gone_is_lost_without_an_error(kind, monkeypatch):
    with a_terminal_that_is_gone(monkeypatch) as stream:
        with pytest.raises(OSError, match="error"):
            stream.write("what nobody catches\n")
        sink = kind()
        sink.report(Progress("Working", 1, 2))
        sink.report(Progress("Working", 2, 2))
        sink.say("a sentence")
        sink.result({}, "all of it")
        sink.fail("why")
        sink.interrupted(saved=True)


def test_a_stream_that_is_there_gets_all_of_it(monkeypatch):
    there = io.StringIO()
    monkeypatch.setattr(sys, "stderr", there)
    terminal = Terminal()
    terminal.report(Progress("Working", 1, 2))
    terminal.say("a sentence")
    terminal.close()
    terminal.fail("why")
    assert "a sentence" in there.getvalue()
    assert there.getvalue().endswith("cgc: why\n")


def test_a_full_disk_is_told(monkeypatch):
    class Full(io.StringIO):
        def write(self, _text: str) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(sys, "stdout", Full())
    with pytest.raises(OSError, match="No space left"):
        LastingStream("stdout").write("x")
