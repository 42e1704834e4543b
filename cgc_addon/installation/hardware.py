# SPDX-License-Identifier: GPL-3.0-or-later
"""Which build of PyTorch fits this machine, and where that build lies."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ANSWER_SECONDS = 20.0

PYTORCH_INDEXES = {
    ("Linux", "cpu"): "https://download.pytorch.org/whl/cpu",
    ("Windows", "cuda"): "https://download.pytorch.org/whl/cu130",
}
"""Where PyTorch lies for a system and a build; elsewhere what pip finds anyway is of that build."""


def may_have_nvidia_card() -> bool:
    """Return at once whether there seems to be one, for panels, which ask while they are drawn."""
    return Path("/proc/driver/nvidia/version").exists() or shutil.which("nvidia-smi") is not None


def has_nvidia_driver() -> bool:
    """Return whether an NVIDIA driver answers on this machine."""
    if sys.platform == "darwin":
        return False
    if Path("/proc/driver/nvidia/version").exists():
        return True
    program = shutil.which("nvidia-smi")
    if program is None and os.name == "nt":  # not on the PATH of every user
        beside = Path(os.environ.get("SYSTEMROOT", r"C:\Windows"), "System32", "nvidia-smi.exe")
        program = str(beside) if beside.is_file() else None
    if program is None:
        return False
    flags = subprocess.CREATE_NO_WINDOW if sys.platform == "win32" else 0
    try:
        listed = subprocess.run(
            [program, "-L"],
            capture_output=True,
            timeout=ANSWER_SECONDS,
            check=False,
            creationflags=flags,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return listed.returncode == 0 and b"GPU" in listed.stdout


def suggested_build(builds: tuple[str, ...]) -> str:
    """Return which of the builds that there are fits this machine, empty where there is none."""
    if "cuda" in builds and has_nvidia_driver():
        return "cuda"
    return "cpu" if "cpu" in builds else (builds[0] if builds else "")
