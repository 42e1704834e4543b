# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs that are run to install something: their lines are read while they run."""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import CgcError, Interrupted
from ..progress import ShouldStop, never

LOOK_SECONDS = 0.1
"""Between two questions whether to stop."""
END_SECONDS = 1.0
"""How long a program that is asked to end may take before it is killed."""
_DROPPED = (
    "PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP", "PYTHONEXECUTABLE", "PYTHONINSPECT",
    "PYTHONPLATLIBDIR", "PYTHONDONTWRITEBYTECODE", "__PYVENV_LAUNCHER__", "VIRTUAL_ENV",
)  # fmt: skip
"""Variables that make a Python take another one's files."""


@dataclass(frozen=True)
class Ended:
    """How a program ended."""

    code: int
    lines: tuple[str, ...]
    """What it said on either stream."""


def isolated(python: Path, *arguments: str | Path) -> list[str]:
    """Return the command that runs a Python with nothing but its own packages."""
    return [str(python), "-I", "-u", "-X", "utf8", *(str(argument) for argument in arguments)]


def clean_environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment for a Python that is not ours; proxies and pip's variables stay."""
    kept = {name: value for name, value in os.environ.items() if name not in _DROPPED}
    return {**kept, **(more or {})}


def run_program(
    command: Sequence[str],
    environment: Mapping[str, str],
    on_line: Callable[[str], None] = lambda _line: None,
    should_stop: ShouldStop = never,
    tell: str = "",
) -> Ended:
    """Run a program to its end.

    Args:
        command: program and arguments.
        environment: all its variables.
        on_line: takes each line that it writes, in the thread that calls.
        should_stop: asked several times a second.
        tell: what the program reads on its stdin.

    Raises:
        Interrupted: `should_stop` said so; the program has ended.
        CgcError: it cannot be started.
    """
    flags = subprocess.CREATE_NO_WINDOW if sys.platform == "win32" else 0
    try:
        process = subprocess.Popen(
            list(command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=dict(environment),
            encoding="utf-8",
            errors="replace",
            creationflags=flags,
        )
    except OSError as error:
        raise CgcError(f"{command[0]} cannot be run: {error.strerror or error}.") from error
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    threading.Thread(target=_converse, args=(process, tell, lines), daemon=True).start()
    said: list[str] = []
    try:
        while True:
            if should_stop():
                raise Interrupted("install")
            try:
                line = lines.get(timeout=LOOK_SECONDS)
            except queue.Empty:
                continue
            if line is None:
                break
            said.append(line)
            on_line(line)
    except BaseException:
        _end(process)
        raise
    return Ended(process.wait(), tuple(said))


def _converse(
    process: subprocess.Popen[str], tell: str, lines: queue.SimpleQueue[str | None]
) -> None:
    """Tell a program what it reads, and pass on what it writes."""
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(tell)
        process.stdin.close()
    except OSError:  # it has ended, or does not read
        pass
    try:
        for line in process.stdout:
            lines.put(line.rstrip("\r\n"))
    except (OSError, ValueError):
        pass
    lines.put(None)


def _end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
