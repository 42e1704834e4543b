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


def environment_of(rank: int, size: int, port: int, *, apart: bool = False) -> dict[str, str]:
    """Return the environment of one process of `size` on this machine, one thread each.

    Args:
        rank: of the process.
        size: number of all.
        port: where they come together.
        apart: as if each had a machine of its own.
    """
    return {
        **os.environ,
        "RANK": str(rank),
        "LOCAL_RANK": "0" if apart else str(rank),
        "WORLD_SIZE": str(size),
        "LOCAL_WORLD_SIZE": "1" if apart else str(size),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
        "NUMBA_NUM_THREADS": "1",
    }


def start(
    command: Sequence[str], size: int = 2, *, apart: bool = False
) -> list[subprocess.Popen[str]]:
    """Start a Python command as `size` processes that train together, see `environment_of`."""
    port = free_port()
    return [
        subprocess.Popen(
            [sys.executable, *command],
            cwd=ROOT,
            env=environment_of(rank, size, port, apart=apart),
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
