# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds a Blender and runs a verb inside it, from a Python that has none."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import CgcError

VARIABLE = "CGC_BLENDER"
OLDEST = (4, 5)
START_SECONDS = 120.0
"""How long a Blender may take to tell its version; the first start from a slow disk takes long."""
_PACKAGE = Path(__file__).resolve().parents[1]
_RUN_VERB = (
    "import sys; sys.path.insert(0, {parent!r}); from {package}.__main__ import run; "
    "sys.exit(run(sys.argv[sys.argv.index('--') + 1:]))"
)


@dataclass(frozen=True)
class BlenderProgram:
    """A Blender, or a Python that has Blender as a module."""

    path: str
    is_python: bool
    version: tuple[int, int]


def runs_in_blender() -> bool:
    """Return whether this very Python has Blender in it."""
    return "bpy" in sys.modules or importlib.util.find_spec("bpy") is not None


def find_blender(named: str | None = None) -> BlenderProgram:
    """Return the Blender that is named, else that of CGC_BLENDER, else the one on the PATH.

    Args:
        named: path of a Blender, or of a Python that has the module bpy.

    Raises:
        CgcError: there is none, or it cannot be used; the sentence says how to get one.
    """
    for path, who in ((named, "--blender"), (os.environ.get(VARIABLE, "").strip(), VARIABLE)):
        if path:
            found = shutil.which(path)
            if found is None:
                raise CgcError(
                    f"{who} names {path}, which is no program; name a Blender or a Python with bpy."
                )
            return _known(found)
    found = shutil.which("blender")
    if found is None:
        raise CgcError(
            f"No Blender was found; install Blender {_text(OLDEST)} or newer and name it with "
            f"--blender PATH or in the variable {VARIABLE}, or `pip install bpy` into a Python."
        )
    return _known(found)


def run_in_blender(
    blender: BlenderProgram,
    arguments: Sequence[str],
    receive: Callable[[dict[str, Any]], None],
) -> int:
    """Run a verb inside a Blender without a window and return its exit code.

    Args:
        blender: which one.
        arguments: the verb and what belongs to it, paths absolute.
        receive: is given each message of the verb, see `json_lines`; what it raises ends Blender.

    Raises:
        CgcError: Blender ended without a word of the verb.
    """
    command = [*_start(blender), *arguments, "--json"]
    told = False
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as log:
        with subprocess.Popen(
            command,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            encoding="utf-8",
            errors="replace",
        ) as process:
            assert process.stdout is not None
            try:
                for line in process.stdout:
                    message = _message(line)  # Blender prints lines of its own, too
                    if message is not None:
                        told = True
                        receive(message)
            except BaseException:
                process.kill()
                raise
        if not told:
            log.seek(0)
            raise CgcError(f"{blender.path} failed: {_last_line(log.read())}")
    return process.returncode


def _known(path: str) -> BlenderProgram:
    """Return what kind of program this is.

    Raises:
        CgcError: no Blender, or one that is too old.
    """
    is_python = _output([path, "--version"]).startswith("Python")
    if is_python:
        told = _output([path, "-c", "import bpy; print('Blender', bpy.app.version_string)"])
    else:
        told = _output([path, "--background", "--version"])
    found = re.search(r"(?m)^Blender (\d+)\.(\d+)", told)
    if found is None:
        what = "a Python without the module bpy" if is_python else "no Blender"
        raise CgcError(f"{path} is {what}; name a Blender or a Python that has bpy.")
    version = (int(found[1]), int(found[2]))
    if version < OLDEST:
        raise CgcError(
            f"{path} is Blender {_text(version)}; {_text(OLDEST)} or newer is needed, name another."
        )
    return BlenderProgram(path, is_python, version)


def _start(blender: BlenderProgram) -> list[str]:
    if blender.is_python:
        return [blender.path, "-m", _PACKAGE.name]
    program = _RUN_VERB.format(parent=str(_PACKAGE.parent), package=_PACKAGE.name)
    options = ["--background", "--factory-startup", "--python-exit-code", "1"]
    return [blender.path, *options, "--python-expr", program, "--"]


def _environment() -> dict[str, str]:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONHOME"}
    environment["PYTHONPATH"] = str(_PACKAGE.parent)
    environment["PYTHONUTF8"] = "1"
    return environment


def _output(command: Sequence[str]) -> str:
    """Return what a program prints; nothing when it does not start or end."""
    try:
        return subprocess.run(
            command,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=START_SECONDS,
            check=False,
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""


def _message(line: str) -> dict[str, Any] | None:
    try:
        message = json.loads(line)
    except ValueError:
        return None
    return message if isinstance(message, dict) and "type" in message else None


def _text(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "it gave no reason."
