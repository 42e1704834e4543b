# SPDX-License-Identifier: GPL-3.0-or-later
import errno
import io
import os
import sys
from collections.abc import Iterator
from typing import TextIO

import pytest

pytest.importorskip("rich")

from cgc_addon.cli.console.lasting_stream import LastingStream
from cgc_addon.cli.console.terminal import Terminal
from cgc_addon.progress import Progress


@pytest.fixture
def gone(monkeypatch: pytest.MonkeyPatch) -> Iterator[TextIO]:
    """Make both streams a terminal that somebody closes, and no SIGHUP comes yet."""
    if not hasattr(os, "openpty"):
        pytest.skip("this system has no pseudo-terminals")
    ours, theirs = os.openpty()
    stream = os.fdopen(theirs, "w", buffering=1)
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setattr(sys, "stderr", stream)
    os.close(ours)
    yield stream
    monkeypatch.undo()
    with pytest.raises(OSError, match="error"):  # what is left in its buffer
        stream.close()


def test_all_that_is_said_to_a_terminal_that_is_gone_is_lost_without_an_error(gone):
    with pytest.raises(OSError, match="error"):
        print("a plain print\n", file=gone)
    terminal = Terminal()
    terminal.report(Progress("Working", 1, 2))
    terminal.report(Progress("Working", 2, 2))
    terminal.say("a sentence")
    terminal.result({}, "all of it")
    terminal.fail("why")
    terminal.interrupted(saved=True)


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
