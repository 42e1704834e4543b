# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs for which permissions count, also where tests run as root."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
_DROP_FROM_BOUNDING_SET = 24
_CAPABILITIES = (1, 2, 3)
"""CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER (linux/capability.h)."""


def cgc(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run a verb for which permissions count; skips where that cannot be had."""
    if os.name == "nt" or (os.geteuid() == 0 and sys.platform != "linux"):
        pytest.skip("needs permissions of POSIX, which count for root on Linux alone")
    return subprocess.run(
        [sys.executable, "-m", "cgc_addon", *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=_drop if os.geteuid() == 0 else None,
    )


def _drop() -> None:
    system = ctypes.CDLL(None)
    for capability in _CAPABILITIES:
        system.prctl(_DROP_FROM_BOUNDING_SET, capability, 0, 0, 0)


def read_only(folder: Path) -> Path:
    """Take the right to write from a folder and all in it, until `writable` gives it back."""
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    return folder


def writable(folder: Path) -> None:
    """Give it back, so that the folder can be removed."""
    folder.chmod(0o755)
    for path in folder.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
