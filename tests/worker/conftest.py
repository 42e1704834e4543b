# SPDX-License-Identifier: GPL-3.0-or-later
"""Real worker processes, some of them with a verb made up for the test."""

from __future__ import annotations

import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cgc_addon.worker.client import Worker

ROOT = Path(__file__).resolve().parents[2]


def until(worker: Worker, kind: str, seconds: float = 400.0) -> list[dict]:
    """Collect messages up to the first of a type."""
    found: list[dict] = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found += worker.wait(1.0)
        if any(message["type"] == kind for message in found):
            return found
        if found and found[-1]["type"] == "error":
            break
    raise AssertionError(f"no {kind} among {found}")


@pytest.fixture
def program(tmp_path: Path) -> Callable[[str], Path]:
    """Return a function that makes an interpreter: a shell script with these lines."""
    made = []

    def make(lines: str) -> Path:
        path = tmp_path / f"python-{len(made)}"
        path.write_text("#!/bin/sh\n" + lines, encoding="utf-8")
        path.chmod(0o755)
        made.append(path)
        return path

    return make


@pytest.fixture
def with_verb(program: Callable[[str], Path], tmp_path: Path) -> Callable[[str], Path]:
    """Return a function that makes an interpreter whose `probe` does what a text says.

    The text is the body of `def verb(options, sink, should_stop)`.
    """

    def make(body: str) -> Path:
        driver = tmp_path / "driver.py"
        driver.write_text(
            "import ctypes, os, signal, sys, time\n"
            "from cgc_addon.cli import arguments\n"
            "from cgc_addon.errors import CgcError, Interrupted\n"
            "from cgc_addon.progress import Progress, track\n"
            "from cgc_addon.worker.__main__ import main\n"
            "def verb(options, sink, should_stop):\n"
            + textwrap.indent(textwrap.dedent(body), "    ")
            + "\narguments.probe.run = verb\nraise SystemExit(main())\n",
            encoding="utf-8",
        )
        return program(f'exec "{sys.executable}" "{driver}"\n')

    return make


@pytest.fixture
def start() -> Iterator[Callable[..., Worker]]:
    """Return a function that starts a worker; all end with the test."""
    started: list[Worker] = []

    def make(interpreter: Path = Path(sys.executable), package_parent: Path = ROOT) -> Worker:
        worker = Worker(interpreter, package_parent)
        started.append(worker)
        worker.start()
        return worker

    yield make
    for worker in started:
        worker.kill()
