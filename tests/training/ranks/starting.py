# SPDX-License-Identifier: GPL-3.0-or-later
"""Start programs that train together, as a cluster does."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
SECONDS = 240
"""More than any of them needs on a busy machine."""


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def environment_of(rank: int, size: int, port: int) -> dict[str, str]:
    """Return the environment of one process of `size` on this machine, one thread each."""
    return {
        **os.environ,
        "RANK": str(rank),
        "LOCAL_RANK": str(rank),
        "WORLD_SIZE": str(size),
        "LOCAL_WORLD_SIZE": str(size),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
        "NUMBA_NUM_THREADS": "1",
    }


def start(command: Sequence[str], size: int = 2) -> list[subprocess.Popen[str]]:
    """Start a Python command as `size` processes that train together."""
    port = free_port()
    return [
        subprocess.Popen(
            [sys.executable, *command],
            cwd=ROOT,
            env=environment_of(rank, size, port),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(size)
    ]


def ends_of(processes: Sequence[subprocess.Popen[str]]) -> list[tuple[int, str, str]]:
    """Return exit code, output and errors of each; one that does not end fails the test."""
    try:
        found = []
        for process in processes:
            output, errors = process.communicate(timeout=SECONDS)
            found.append((process.returncode, output, errors))
        return found
    finally:
        for process in processes:
            process.kill()
