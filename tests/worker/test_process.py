# SPDX-License-Identifier: GPL-3.0-or-later
"""What comes out of a child process, whatever child it is."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator

import pytest

from cgc_addon.worker.process import KEPT_LINES, MOST_FOREIGN_LINES, Process

MESSAGE = json.dumps({"type": "note", "text": "here"})
SECONDS = 60.0


@pytest.fixture
def start() -> Iterator[Callable[[str], Process]]:
    """Return a function that starts a Python program as a child."""
    started: list[Process] = []

    def start(program: str) -> Process:
        process = Process([sys.executable, "-c", program], os.environ)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()


def ended(process: Process) -> int:
    """Wait for the child's end and return its exit code."""
    end = time.monotonic() + SECONDS
    while (code := process.exit_code()) is None and time.monotonic() < end:
        time.sleep(0.01)
    assert code is not None
    return code


def test_messages_come_out_and_other_lines_are_kept_beside(start) -> None:
    process = start(f"print('hello'); print({MESSAGE!r}); import sys; sys.exit('trouble')")
    assert ended(process) == 1
    assert process.messages() == [json.loads(MESSAGE)]
    assert set(process.last_lines()) == {"hello", "trouble"}


def test_some_foreign_lines_do_no_harm(start) -> None:
    """A library that prints as it is imported, say."""
    few = MOST_FOREIGN_LINES // 2
    process = start(f"print('noise\\n' * {few}); print({MESSAGE!r})")
    ended(process)
    assert process.messages() == [json.loads(MESSAGE)]
    assert len(process.last_lines()) == KEPT_LINES


def test_what_prints_without_end_is_not_read_without_end(start) -> None:
    """It is no worker; the closed pipe ends it, and Blender's memory stays as it is."""
    process = start("while True: print('noise')")
    assert ended(process) != 0
    assert process.messages() == []


def test_the_kept_lines_are_the_last_ones(start) -> None:
    process = start(f"import sys\nfor n in range({3 * KEPT_LINES}): print(n, file=sys.stderr)")
    ended(process)
    expected = [str(number) for number in range(2 * KEPT_LINES, 3 * KEPT_LINES)]
    assert process.last_lines() == expected


@pytest.mark.skipif(os.name == "nt", reason="Windows has no process groups")
def test_a_kill_takes_what_the_child_started_along(start) -> None:
    process = start(
        "import subprocess, sys\n"
        "inner = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "print(inner.pid, file=sys.stderr, flush=True); inner.wait()"
    )
    end = time.monotonic() + SECONDS
    while not process.last_lines() and time.monotonic() < end:
        time.sleep(0.01)
    inner = int(process.last_lines()[0])
    process.kill()
    assert ended(process) < 0
    while time.monotonic() < end:
        try:
            with open(f"/proc/{inner}/stat", encoding="utf-8") as file:  # noqa: PTH123
                if file.read().rpartition(")")[2].split()[0] == "Z":
                    break
        except FileNotFoundError:
            break
        time.sleep(0.01)
    else:
        pytest.fail("the grandchild lives on")
