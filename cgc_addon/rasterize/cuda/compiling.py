# SPDX-License-Identifier: GPL-3.0-or-later
"""gsplat's kernels are compiled in a process of their own: seen as progress, stopped at any moment.

Where it stands is read off ninja's lines. What was finished stays, so a second try goes on there.
"""

from __future__ import annotations

import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

from ...errors import Interrupted
from ...files import write_json
from ...progress import Progress, Reporter, ShouldStop, never, silent
from .kernels import STAMP, Tools, architectures, library_in, sources

COMPILING = "Compiling gsplat's kernels for this graphics card, once"
LOG = "compiling.txt"
POLL_SECONDS = 0.2
TELL_SECONDS = 5.0
END_SECONDS = 10.0
ENOUGH_TO_TELL = 3
"""Objects take from seconds to minutes: from fewer of them nothing can be told of the rest."""
BYTES_OF_A_COMPILER = 3 << 30
MOST_COMPILERS = 16
FINISHED = re.compile(r"\[(\d+)/(\d+)\] ")
"""How ninja's lines begin: how many of how many objects are finished."""
REASON = re.compile(r"\b(error|fatal)\b", re.IGNORECASE)


class CompilingError(Exception):
    """What the compiler or the linker said; part of a sentence."""


def compile_kernels(
    folder: Path, tools: Tools, report: Reporter = silent, should_stop: ShouldStop = never
) -> None:
    """Compile gsplat's kernels for the cards of this computer.

    Args:
        folder: holds the module at the end, and what the compilers said; kept between tries.
        tools: of `kernels.find_tools`.
        report: hears how many of some thirty objects are finished, and the seconds left.
        should_stop: asked five times a second; the compilers are then ended.

    Raises:
        CompilingError: a compiler refused.
        Interrupted: `should_stop` said so.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / STAMP).unlink(missing_ok=True)
    cards = architectures()
    process = _start(folder, tools, cards)
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    reader = threading.Thread(target=_read, args=(process, folder / LOG, lines), daemon=True)
    reader.start()
    try:
        _follow(lines, report, should_stop)
        code = process.wait()
    finally:
        _end(process)
        reader.join(END_SECONDS)  # ninja is the last to go, and holds the pipe until then
    if code != 0 or not library_in(folder).is_file():
        raise CompilingError(reason_in(folder / LOG, code))
    write_json(folder / STAMP, {"cards": cards})


def _follow(
    lines: queue.SimpleQueue[str | None], report: Reporter, should_stop: ShouldStop
) -> None:
    """Report what the lines tell until the last, and every few seconds that all goes on."""
    total = len(sources()) + 1  # the last is the module itself
    begun = told = counted = time.monotonic()
    done, left = 0, None
    report(Progress(COMPILING, 0, total))
    while True:
        if should_stop():
            raise Interrupted(COMPILING)
        try:
            line = lines.get(timeout=POLL_SECONDS)
        except queue.Empty:
            line = ""
        if line is None:
            return
        now = time.monotonic()
        if counts := objects_finished(line, total):
            done, before = counts
            counted = now
            if done - before >= ENOUGH_TO_TELL or done == total:
                left = (now - begun) / max(done - before, 1) * (total - done)
        elif now - told < TELL_SECONDS:
            continue
        numbers = {} if left is None else {"seconds_left": max(left - (now - counted), 0.0)}
        report(Progress(COMPILING, done, total, numbers))
        told = now


def objects_finished(line: str, total: int) -> tuple[int, int] | None:
    """Return how many objects there are by this line, and how many an earlier try had left.

    ninja counts what it still has to do; None is a line that tells nothing.

    Example:
        >>> objects_finished("[2/11] nvcc …", 31)
        (22, 20)
        >>> objects_finished("ptxas info: …", 31)
    """
    found = FINISHED.match(line)
    if found is None:
        return None
    finished, to_do = int(found[1]), int(found[2])
    before = max(total - to_do, 0)
    return min(before + finished, total), before


def reason_in(log: Path, code: int) -> str:
    """Return why compiling failed: the first thing that a compiler calls an error."""
    try:
        lines = log.read_text("utf-8", "replace").splitlines()
    except OSError:
        lines = []
    # Commands and Python's traceback have the word in options and in names.
    told = [line for line in lines if not line.startswith(("[", "FAILED:", "Traceback", " "))]
    said = [line.strip() for line in told if line.strip()]
    reasons = [line for line in said if REASON.search(line)] or said[-1:]
    reason = reasons[0].rstrip(".") if reasons else f"it ended with code {code} without a word"
    return f"compiling gsplat's kernels failed ({reason}); all that was said is in {log}"


def compilers_at_once(cores: int | None, memory: int | None) -> int:
    """Return how many compilers this computer can bear.

    Args:
        cores: of the processor, None where not known.
        memory: of the computer, bytes, None where not known.
    """
    by_memory = 2 if memory is None else memory // BYTES_OF_A_COMPILER
    return max(1, min(cores or 1, by_memory, MOST_COMPILERS))


def _memory() -> int | None:
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return None


def child_command(folder: Path) -> list[str]:
    """Return the command of the process that compiles."""
    return [sys.executable, "-P", "-m", f"{__package__}.child", str(folder)]


def _start(folder: Path, tools: Tools, cards: str) -> subprocess.Popen[bytes]:
    package = __package__ or ""
    root = str(Path(__file__).resolve().parents[package.count(".") + 1])
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])]),
        "PATH": tools.path,
        "CUDA_HOME": str(tools.toolkit),
        "TORCH_CUDA_ARCH_LIST": cards,
        "MAX_JOBS": str(compilers_at_once(os.cpu_count(), _memory())),
    }
    flags, group = 0, 0  # a group of its own: ninja is to end with it
    if sys.platform == "win32":
        flags, group = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW, -1
    return subprocess.Popen(
        child_command(folder),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment,
        creationflags=flags,
        process_group=group,
    )


def _read(
    process: subprocess.Popen[bytes], log: Path, lines: queue.SimpleQueue[str | None]
) -> None:
    assert process.stdout is not None
    with suppress(OSError, ValueError), log.open("wb") as output:
        for line in process.stdout:
            output.write(line)
            lines.put(line.decode("utf-8", "replace"))
    lines.put(None)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the process and its compilers, which ninja ends when it is asked."""
    if process.poll() is None:
        if sys.platform == "win32":
            kill = ["taskkill", "/T", "/F", "/PID", str(process.pid)]
            subprocess.run(kill, capture_output=True, check=False)
        else:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    assert process.stdin is not None
    with suppress(OSError):
        process.stdin.close()
