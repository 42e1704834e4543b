# SPDX-License-Identifier: GPL-3.0-or-later
"""Environments with Blender as a Python module: `.venv-blender-4.5`, `-5.2` and `-5.3`.

Each Blender is built for one Python and cannot be imported by any other.
"""

from __future__ import annotations

import os
import platform
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from .environments import (
    ROOT,
    SetupError,
    bring_up_to_date,
    digest,
    pip_install,
    python_of,
    say,
    version_of,
)

WHEELS = {"Linux": ("x86_64",), "Windows": ("AMD64", "ARM64"), "Darwin": ("arm64",)}
"""Systems and processors for which Blender's makers build the module."""


@dataclass(frozen=True)
class Blender:
    """One release of Blender that the extension is made for."""

    version: str
    python: tuple[int, int]

    @property
    def environment(self) -> Path:
        """Folder of its environment."""
        return ROOT / f".venv-blender-{self.version}"

    @property
    def lock(self) -> Path:
        """Its packages: the module, numpy and what the tests need."""
        return ROOT / "wheels" / f"requirements-blender-{self.version}.lock"


BLENDERS = (Blender("4.5", (3, 11)), Blender("5.2", (3, 13)), Blender("5.3", (3, 13)))


def for_the_demo() -> dict[str, str]:
    """Make sure that the demo finds a Blender; return the variables that tell it where.

    One that is installed or named in CGC_BLENDER is the demo's own business. Otherwise it gets the
    module, best the one for the Python at hand. Without any it still runs, so nothing is raised.
    """
    if os.environ.get("CGC_BLENDER") or shutil.which("blender"):
        return {}
    at_hand = sys.version_info[:2]
    for blender in sorted(BLENDERS, key=lambda blender: blender.python != at_hand):
        python = find_python(blender)
        if python is None:
            continue
        try:
            return {"CGC_BLENDER": str(set_up(blender, python))}
        except SetupError as error:
            say(f"The demo goes on without Blender: {error}")
            return {}
    say(f"The demo goes on without Blender: {why_none(BLENDERS)}")
    return {}


def for_the_tests() -> dict[Blender, Path]:
    """Make the environment of every Blender whose Python is here; return their interpreters.

    Raises:
        SetupError: a package could not be installed.
    """
    ready = {}
    for blender in BLENDERS:
        python = find_python(blender)
        if python is None:
            say(f"SKIPPED: the tests in Blender {blender.version}: {why_none((blender,))}")
        else:
            ready[blender] = set_up(blender, python)
    return ready


def set_up(blender: Blender, python: Path) -> Path:
    """Make a Blender's environment or bring it up to date; return its interpreter."""
    wanted = {
        "lock": digest(blender.lock),
        "python": ".".join(map(str, blender.python)),
    }

    def install() -> None:
        say(f"Installing Blender {blender.version}, some 400 MB: this may take minutes …")
        pip_install(blender.environment, ["--only-binary=:all:", "-r", str(blender.lock)])

    bring_up_to_date(blender.environment, wanted, install, python)
    return python_of(blender.environment)


def find_python(blender: Blender) -> Path | None:
    """Return an interpreter of the version that a Blender is built for, None without one."""
    if platform.machine() not in WHEELS.get(platform.system(), ()):
        return None
    version = ".".join(map(str, blender.python))
    on_path = shutil.which(f"python{version}")
    places = [
        Path(sys.executable),
        *([Path(on_path)] if on_path else []),
        *sorted(Path.home().glob(f".pyenv/versions/{version}*/bin/python")),
    ]
    for place in places:
        if version_of(place).startswith(f"{version}."):
            return place
    return None


def why_none(blenders: tuple[Blender, ...]) -> str:
    """Return the sentence for Blenders that cannot be had here."""
    if platform.machine() not in WHEELS.get(platform.system(), ()):
        return f"no module is built for {platform.system()} on {platform.machine()}."
    pythons = " or ".join(".".join(map(str, blender.python)) for blender in blenders)
    return f"there is no Python {pythons} on this machine; install one and run again."
