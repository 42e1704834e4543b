# SPDX-License-Identifier: GPL-3.0-or-later
"""In processes of their own, since nothing takes it back."""

import platform
import subprocess
import sys
from pathlib import Path

import pytest

from cgc_addon.training import kept_memory
from cgc_addon.training.kept_memory import keep_freed_memory

PROGRAM = """
import resource, sys
import torch
from cgc_addon.training.kept_memory import keep_freed_memory
if sys.argv[1] == "kept":
    assert keep_freed_memory()
def step():
    held = [torch.empty(size).fill_(1.0) for _ in range(4) for size in (2_700_000, 240_000, 60_000)]
    return float(held[0][0])
for _ in range(3):
    step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    step()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="GNU's C library alone is told")
def test_a_step_takes_the_pages_of_the_one_before():
    def faults(how: str) -> int:
        command = [sys.executable, "-c", PROGRAM, how]
        root = Path(__file__).parents[2]
        return int(subprocess.run(command, cwd=root, capture_output=True, check=True).stdout)

    kept = faults("kept")
    assert kept < 1_000
    assert kept < 0.1 * faults("given back")


@pytest.mark.parametrize("library", ["musl", ""])
def test_other_libraries_are_left_alone(monkeypatch, library):
    monkeypatch.setattr(platform, "libc_ver", lambda: (library, ""))
    monkeypatch.setattr(kept_memory.ctypes, "CDLL", None)  # asked, it would raise
    assert not keep_freed_memory()
