# SPDX-License-Identifier: GPL-3.0-or-later
"""In processes of their own, since nothing takes it back."""

import platform
import subprocess
import sys
from pathlib import Path

import pytest

from cgc_addon.training import kept_memory
from cgc_addon.training.kept_memory import give_back_freed_memory, keep_freed_memory

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
GIVEN_BACK = """
import ctypes
from pathlib import Path
from cgc_addon.training.kept_memory import give_back_freed_memory, keep_freed_memory
assert keep_freed_memory()
def resident():
    return 4096 * int(Path("/proc/self/statm").read_text().split()[1])
before = resident()
held = [bytearray(b"1" * 1_000_000) for _ in range(60)]
last = bytearray(100)  # above them, so that they are no end that could be cut off
most, held = resident(), None
kept = resident()
give_back_freed_memory()
print(before, most, kept, resident())
"""
ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="GNU's C library alone is told")
def test_a_step_takes_the_pages_of_the_one_before():
    def faults(how: str) -> int:
        command = [sys.executable, "-c", PROGRAM, how]
        return int(subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout)

    kept = faults("kept")
    assert kept < 1_000
    assert kept < 0.1 * faults("given back")


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="GNU's C library alone is told")
def test_at_the_end_it_is_given_back():
    command = [sys.executable, "-c", GIVEN_BACK]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    before, most, kept, after = map(int, done.stdout.split())
    assert kept - before > 0.9 * (most - before)
    assert after - before < 0.1 * (most - before)


@pytest.mark.parametrize("library", ["musl", ""])
def test_other_libraries_are_left_alone(monkeypatch, library):
    monkeypatch.setattr(platform, "libc_ver", lambda: (library, ""))
    monkeypatch.setattr(kept_memory.ctypes, "CDLL", None)  # asked, it would raise
    assert not keep_freed_memory()
    give_back_freed_memory()
