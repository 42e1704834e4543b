# SPDX-License-Identifier: GPL-3.0-or-later
"""Virtual environments that are made once and brought up to date when what they hold has changed.

Each carries a stamp, `set-up.json`: how far its set-up is and what it was made from.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

OF_ANOTHER_MAKE = ("torch", "python")
"""Entries of a stamp that an update cannot change: the environment is made anew."""


class SetupError(Exception):
    """Something that keeps an environment from being made: one sentence with the cure."""


def bring_up_to_date(
    environment: Path,
    wanted: dict[str, str],
    install: Callable[[], None],
    python: Path = Path(sys.executable),
) -> None:
    """Make the environment or update it; nothing to do is found out in milliseconds.

    Args:
        environment: its folder.
        wanted: what its stamp has to say.
        install: puts the packages in.
        python: interpreter to make it with.

    Raises:
        SetupError: Python has no `venv`, or a package could not be installed.
    """
    action = what_to_do(environment, read_stamp(environment), wanted)
    if action == "keep":
        return
    begun = time.monotonic()
    if action == "make":
        say(f"Making {environment} with Python {version_of(python)} …")
        make(environment, python)
    # Until the last package is in, the stamp says so: an interrupted run is then started over.
    write_stamp(environment, {"state": "unfinished"})
    install()
    write_stamp(environment, {"state": "finished", **wanted})
    say(f"Ready after {time.monotonic() - begun:.0f} s.")


def what_to_do(environment: Path, stamp: dict[str, str], wanted: dict[str, str]) -> str:
    """Return "keep", "update" or "make".

    An environment without a stamp was made by hand: it is updated, never thrown away. One whose
    set-up was interrupted, whose interpreter is gone, or which holds the other build of PyTorch is
    made anew.
    """
    if not runs(python_of(environment)) or stamp.get("state") == "unfinished":
        return "make"
    if any(stamp.get(key, wanted.get(key)) != wanted.get(key) for key in OF_ANOTHER_MAKE):
        return "make"
    if all(stamp.get(key) == value for key, value in wanted.items()):
        return "keep"
    return "update"


def make(environment: Path, python: Path) -> None:
    """Make an empty environment, in place of what was there, and stamp it as unfinished."""
    try:
        if environment.exists():
            shutil.rmtree(environment)
        environment.mkdir(parents=True)
        write_stamp(environment, {"state": "unfinished"})
    except OSError as error:
        raise SetupError(
            f"{environment} could not be cleared ({error.strerror or error}); end the programs "
            "that run from it and check its permissions, then run again."
        ) from error
    command = [str(python), "-m", "venv", str(environment)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode == 0:
        return
    if "ensurepip" in result.stdout + result.stderr:
        minor = ".".join(version_of(python).split(".")[:2])
        raise SetupError(
            f"Python {minor} cannot make virtual environments here; install its `venv` part "
            f"(Debian and Ubuntu: `apt install python{minor}-venv`) and run again."
        )
    reason = last_line(result.stderr or result.stdout)
    raise SetupError(f"{environment} could not be made: {reason}")


def pip_install(environment: Path, arguments: list[str]) -> None:
    """Install packages into the environment, telling which ones are being fetched.

    Raises:
        SetupError: pip failed; its last lines have been printed.
    """
    command = [str(python_of(environment)), "-m", "pip", "install"]
    command += ["--disable-pip-version-check", "--no-input", "--progress-bar", "off", *arguments]
    lines: list[str] = []
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as pip:
        assert pip.stdout is not None
        for line in pip.stdout:
            lines.append(line.rstrip())
            if re.match(r"\s*(Downloading|Using cached|Installing collected|WARNING: Retry)", line):
                print("   ", line.strip()[:110], flush=True)
    if pip.returncode != 0:
        print("\n".join(lines[-15:]), file=sys.stderr)
        raise SetupError(
            f"pip could not install the packages (exit code {pip.returncode}, its last lines stand "
            "above); check the network and the free space, then run the same command again."
        )


def python_of(environment: Path) -> Path:
    """Return the environment's interpreter, whether it exists or not."""
    if os.name == "nt":
        return environment / "Scripts" / "python.exe"
    return environment / "bin" / "python"


def runs(python: Path) -> bool:
    """Return whether an interpreter starts."""
    return version_of(python) != ""


def version_of(python: Path) -> str:
    """Return the version of an interpreter such as "3.11.7", empty when it does not start."""
    command = [str(python), "-c", "import platform; print(platform.python_version())"]
    try:
        started = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return started.stdout.strip() if started.returncode == 0 else ""


def read_stamp(environment: Path) -> dict[str, str]:
    """Return what the last set-up left in the environment, empty when there is nothing sound."""
    try:
        stamp = json.loads((environment / "set-up.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) else {}


def write_stamp(environment: Path, stamp: dict[str, str]) -> None:
    """Note in the environment how far its set-up is."""
    beside = environment / "set-up.json.new"
    beside.write_text(json.dumps(stamp, indent=2) + "\n", encoding="utf-8")
    beside.replace(environment / "set-up.json")


def digest(*files: Path) -> str:
    """Return the SHA-256 of text files, the same for either kind of line break."""
    content = b"\0".join(file.read_bytes().replace(b"\r\n", b"\n") for file in files)
    return hashlib.sha256(content).hexdigest()


def say(text: str) -> None:
    """Print a line at once."""
    print(text, flush=True)


def last_line(text: str) -> str:
    """Return the last line that says something."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "no reason given."
