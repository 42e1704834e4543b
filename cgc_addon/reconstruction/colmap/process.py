# SPDX-License-Identifier: GPL-3.0-or-later
"""Starting the child process that does COLMAP's work, and hearing from it.

Its calls block for minutes, print as they like, and end the process where they find a defect. A
child can be killed at any moment, keeps our output clean, and gives back all memory at its end.
What it had finished is in the database or in folders that were renamed into place.
"""

from __future__ import annotations

import json
import os
import queue
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from ...errors import CgcError, Interrupted
from ...progress import Progress, Reporter, ShouldStop, never, silent

POLL_SECONDS = 0.1
_KEPT_BYTES = 4000
_LITTLE_ROOM = 16 << 20
"""Bytes free on a disk, with which a failure is that of the disk: COLMAP does not say so."""


def run_stage(
    stage: str,
    arguments: Mapping[str, Any],
    log: Path,
    *,
    report: Reporter = silent,
    should_stop: ShouldStop = never,
) -> dict[str, Any]:
    """Run one of the stages in `child` in a process of its own and return its result.

    Args:
        stage: name of the stage.
        arguments: of the stage, plain values.
        log: file that takes what COLMAP prints.
        report: progress.
        should_stop: asked ten times a second; the process is then killed.

    Raises:
        CgcError: the stage failed; the sentence is its own, or says how the process ended.
        Interrupted: `should_stop` said so.
    """
    result: dict[str, Any] | None = None
    with log.open("ab") as output:
        process = _start(output)
        messages: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        reader = threading.Thread(target=_read, args=(process, messages), daemon=True)
        reader.start()
        try:
            assert process.stdin is not None
            with suppress(BrokenPipeError):  # it says why at its end
                process.stdin.write(json.dumps({"stage": stage, **arguments}).encode() + b"\n")
                process.stdin.flush()
            while True:
                if should_stop():
                    raise Interrupted(stage)
                try:
                    message = messages.get(timeout=POLL_SECONDS)
                except queue.Empty:
                    continue
                if message is None:
                    break
                if "error" in message:
                    raise CgcError(message["error"])
                if "result" in message:
                    result = message["result"]
                else:
                    report(Progress(message["stage"], message["done"], message["total"]))
            code = process.wait()
        finally:
            _end(process)
            reader.join(1.0)
    if result is None or code != 0:
        raise CgcError(_how_it_ended(stage, code, log))
    return result


def _start(output: IO[bytes]) -> subprocess.Popen[bytes]:
    package = __package__ or ""
    environment = dict(os.environ)
    folders = [str(Path(__file__).resolve().parents[package.count(".") + 1])]
    if environment.get("PYTHONPATH"):
        folders.append(environment["PYTHONPATH"])
    environment["PYTHONPATH"] = os.pathsep.join(folders)
    # Threads that wait must not spin: other programs, the window above all, want the processor.
    environment.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    flags, group = 0, 0  # a group of its own: Ctrl-C is for us, who then stop it
    if sys.platform == "win32":
        flags, group = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW, -1
    return subprocess.Popen(
        [sys.executable, "-P", "-m", f"{package}.child"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=output,
        env=environment,
        creationflags=flags,
        process_group=group,
    )


def _read(
    process: subprocess.Popen[bytes], messages: queue.SimpleQueue[dict[str, Any] | None]
) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        with suppress(ValueError):
            messages.put(json.loads(line))
    messages.put(None)


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.kill()
        process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with suppress(OSError):
                pipe.close()


def _how_it_ended(stage: str, code: int, log: Path) -> str:
    if sys.platform != "win32" and code == -signal.SIGKILL:
        return (
            f"The system ended COLMAP ({stage}), most likely because memory ran out; use smaller "
            "photos (--max-size) or close other programs, then run again to go on."
        )
    with suppress(OSError):
        free = shutil.disk_usage(log.parent).free
        if free < _LITTLE_ROOM:
            return (
                f"{log.parent} could not be written by COLMAP ({stage}): only {free / 2**20:.0f} "
                "MiB are free on that disk; free some space, then run again to go on."
            )
    try:
        text = log.read_bytes()[-_KEPT_BYTES:].decode("utf-8", "replace")
    except OSError:
        text = ""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    # A fatal check prints its reason and then where it was; glog marks the reason so.
    reasons = [line for line in lines if re.match(r"[EF]\d{4,8} ", line)] or lines
    last = reasons[-1] if reasons else "no words"
    return (
        f"COLMAP ({stage}) ended with code {code}: {last.rstrip('.')}; run again to go on, and if "
        f"it happens again, report this with {log}."
    )
