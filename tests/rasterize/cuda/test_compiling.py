# SPDX-License-Identifier: GPL-3.0-or-later
"""Compiling is seen, can be stopped, and goes on where it was; a script stands in for compilers."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cgc_addon.errors import Interrupted
from cgc_addon.progress import Progress
from cgc_addon.rasterize.cuda import child as child_process
from cgc_addon.rasterize.cuda import compiling, kernels

ROOT = Path(__file__).resolve().parents[3]
TOTAL = 30
GIBIBYTE = 1 << 30

GOOD = """
for number in range(1, 31):
    print(f"[{number}/30] nvcc -c Error.cu", flush=True)
    print("ptxas info: nothing special", flush=True)
open(folder + "/gsplat_csrc.so", "w").close()
"""
RESUMED = """
for number in range(1, 4):
    print(f"[{number}/3] nvcc", flush=True)
open(folder + "/gsplat_csrc.so", "w").close()
"""
BAD = """
print("[1/30] nvcc --error-limit 3 -c a.cu", flush=True)
print("FAILED: a.cuda.o")
print("  in some error.h")
print("a.cu(12): error: identifier \\"x\\" is undefined.")
print("ninja: build stopped: subcommand failed: error.")
print("Traceback (most recent call last):")
sys.exit(1)
"""
ENDLESS = """
import subprocess
compiler = subprocess.Popen(["sleep", "600"])
open(folder + "/pid.part", "w").write(str(compiler.pid))
os.rename(folder + "/pid.part", folder + "/pid")
print("[1/30] nvcc", flush=True)
compiler.wait()
"""


@pytest.fixture
def child(monkeypatch, tmp_path):
    """Return a function that has a program in place of the compilers; its folder is `folder`."""
    monkeypatch.setattr(compiling, "architectures", lambda: "8.6")
    monkeypatch.setattr(kernels, "architectures", lambda: "8.6")

    def set_program(text: str) -> Path:
        program = f"import os, sys\nfolder = sys.argv[1]\n{text}"
        monkeypatch.setattr(
            compiling,
            "child_command",
            lambda folder: [sys.executable, "-c", program, str(folder)],
        )
        return tmp_path / "kernels"

    return set_program


TOOLS = kernels.Tools(Path("/cuda"), os.environ.get("PATH", ""))


def test_each_object_is_a_step(child):
    folder = child(GOOD)
    messages: list[Progress] = []
    compiling.compile_kernels(folder, TOOLS, messages.append)
    counts = [message.done for message in messages]
    assert counts == list(range(31))
    assert all(message.total == TOTAL for message in messages)
    assert not any(message.numbers for message in messages[: compiling.ENOUGH_TO_TELL])
    assert all(
        message.numbers["seconds_left"] >= 0 for message in messages[compiling.ENOUGH_TO_TELL :]
    )
    assert messages[-1].numbers["seconds_left"] == 0
    assert kernels.is_compiled(folder)


def test_a_second_try_goes_on_where_the_first_was(child):
    messages: list[Progress] = []
    compiling.compile_kernels(child(RESUMED), TOOLS, messages.append)
    assert [message.done for message in messages] == [0, 28, 29, 30]


def test_the_environment_names_toolkit_cards_and_compilers(child):
    folder = child(
        'open(folder + "/environment", "w").write(repr(dict(os.environ)))\n'
        'open(folder + "/gsplat_csrc.so", "w").close()'
    )
    compiling.compile_kernels(folder, TOOLS)
    found = eval((folder / "environment").read_text())
    assert found["CUDA_HOME"] == str(TOOLS.toolkit)
    assert found["TORCH_CUDA_ARCH_LIST"] == "8.6"
    assert found["PATH"] == TOOLS.path
    assert 1 <= int(found["MAX_JOBS"]) <= compiling.MOST_COMPILERS


def test_a_compilers_error_is_told_with_the_log(child):
    folder = child(BAD)
    with pytest.raises(compiling.CompilingError) as raised:
        compiling.compile_kernels(folder, TOOLS)
    assert 'failed (a.cu(12): error: identifier "x" is undefined)' in str(raised.value)
    assert str(folder / compiling.LOG) in str(raised.value)
    assert "ninja: build stopped" in (folder / compiling.LOG).read_text()
    assert not kernels.is_compiled(folder)


@pytest.mark.parametrize(
    ("text", "words"), [("sys.exit(3)", "code 3"), ("print('no room')", "(no room)")]
)
def test_an_end_without_a_module_is_an_error_too(child, text, words):
    with pytest.raises(compiling.CompilingError) as raised:
        compiling.compile_kernels(child(text), TOOLS)
    assert words in str(raised.value)


@pytest.mark.skipif(sys.platform == "win32", reason="asks the system for processes")
def test_stopping_ends_the_compilers_at_once(child):
    folder = child(ENDLESS)
    with pytest.raises(Interrupted):
        compiling.compile_kernels(folder, TOOLS, should_stop=(folder / "pid").exists)
    assert _is_gone(int((folder / "pid").read_text()))
    assert not kernels.is_compiled(folder)


@pytest.mark.skipif(sys.platform == "win32", reason="asks the system for processes")
def test_compilers_end_with_whoever_started_them(tmp_path):
    program = (
        "import os, sys, threading\n"
        "from cgc_addon.rasterize.cuda import child\n"
        "folder = sys.argv[1]\n"
        f"threading.Thread(target=child._end_with_parent, daemon=True).start()\n{ENDLESS}"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        cwd=ROOT,
        process_group=0,
    )
    while not (tmp_path / "pid").exists():
        assert process.poll() is None
        time.sleep(0.05)
    assert process.stdin is not None
    process.stdin.close()  # what the system does for a parent that is killed
    process.wait(20)
    assert _is_gone(int((tmp_path / "pid").read_text()))


def _is_gone(pid: int) -> bool:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            status = Path(f"/proc/{pid}/status").read_text()
        except OSError:
            if not Path("/proc/self").exists():  # no Linux
                pytest.skip("no /proc")
            return True
        if "\nState:\tZ" in status:
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize(
    ("cores", "memory", "compilers"),
    [
        (16, 64 * GIBIBYTE, 16),
        (16, 16 * GIBIBYTE, 5),
        (8, 4 * GIBIBYTE, 1),
        (2, 64 * GIBIBYTE, 2),
        (64, 512 * GIBIBYTE, compiling.MOST_COMPILERS),
        (8, 1 * GIBIBYTE, 1),
        (8, None, 2),
        (None, None, 1),
    ],
)
def test_there_are_no_more_compilers_than_memory_bears(cores, memory, compilers):
    assert compiling.compilers_at_once(cores, memory) == compilers


@pytest.mark.skipif(sys.platform == "win32", reason="links, which Windows grants to few")
def test_cudas_runtime_of_a_wheel_is_found_by_the_linker(tmp_path, monkeypatch):
    lib, folder = tmp_path / "toolkit/lib", tmp_path / "kernels"
    lib.mkdir(parents=True)
    folder.mkdir()
    (lib / "libcudart.so.13").write_text("runtime")
    monkeypatch.setenv("CUDA_HOME", str(tmp_path / "toolkit"))
    for _ in range(2):  # a second try finds the first one's link
        assert child_process._runtime_by_its_plain_name(folder) == [f"-L{folder}"]
        assert (folder / "libcudart.so").read_text() == "runtime"
    (lib / "libcudart.so").touch()
    assert child_process._runtime_by_its_plain_name(folder) == []
