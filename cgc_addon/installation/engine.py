# SPDX-License-Identifier: GPL-3.0-or-later
"""Engines that are installed: what their stamps say, and whether they still stand.

A stamp is written when everything is in place and was tried; without it there is no engine. Panels
ask while they are drawn, so nothing here starts a process or reads more than small files.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import CgcError
from ..files import read_json, write_json
from .lock import Lock, lock_path, parse_lock, read_lock
from .places import EngineHome, homes_in, python_of

FORMAT = 1


@dataclass(frozen=True)
class Engine:
    """An engine that was installed."""

    home: EngineHome
    environment: Path
    lock: Lock
    """What was installed."""
    size: int
    """Bytes on the disk when it was made."""
    made: float
    """When, in seconds since 1970."""

    @property
    def interpreter(self) -> Path:
        """The program that runs it."""
        return python_of(self.environment)

    @property
    def python(self) -> str:
        """Its Python: "3.11"."""
        return self.lock.python

    @property
    def build(self) -> str:
        """Its build of PyTorch, one of `lock.BUILDS`."""
        return self.lock.build

    def problem(self) -> str:
        """Say why it cannot be started, as far as that shows at once; empty where it can."""
        base = base_of(self.environment)
        if base is not None and not base.is_dir():
            return (
                f"The engine in {self.home.folder} was made with the Python in {base}, which is "
                "gone; press Repair in the preferences of this extension."
            )
        if not self.interpreter.is_file():
            return (
                f"The engine in {self.home.folder} has lost its program {self.interpreter.name}; "
                "press Repair in the preferences of this extension."
            )
        return ""

    def newer_lock(self) -> Lock | None:
        """Return the lock of this extension, if it is another one than was installed."""
        path = lock_path(self.lock.platform, self.python, self.build)
        if not path.is_file():
            return None
        lock = read_lock(path)
        return lock if lock.digest != self.lock.digest else None


def read_engine(home: EngineHome) -> Engine | None:
    """Return the engine of a home; None where there is none, or none that is finished."""
    if not home.stamp.is_file():
        return None
    try:
        stamp = read_json(home.stamp)
        environment = home.folder / Path(str(stamp["environment"])).name
        lock = parse_lock(stamp["lock"], str(home.stamp))
        return Engine(home, environment, lock, int(stamp["bytes"]), float(stamp["made"]))
    except (CgcError, KeyError, TypeError, ValueError):
        return None  # a disk has harmed it: Install Engine makes it anew


def write_engine(engine: Engine) -> None:
    """Make an environment the engine of its home, in one step.

    Raises:
        CgcError: the folder cannot be written.
    """
    stamp: dict[str, Any] = {
        "format": FORMAT,
        "environment": engine.environment.name,
        "bytes": engine.size,
        "made": engine.made,
        "lock": dict(engine.lock.document),
    }
    write_json(engine.home.stamp, stamp)


def find_engine(engines: Path, python: str) -> Engine | None:
    """Return the engine to use: one of this Python before others, then the one made last.

    An engine of another Python does as well, since it runs in a process of its own.
    """
    found = [engine for home in homes_in(engines) if (engine := read_engine(home)) is not None]
    return max(found, key=lambda engine: (engine.python == python, engine.made), default=None)


def base_of(environment: Path) -> Path | None:
    """Return the folder of the Python that an environment was made with, as it says itself."""
    try:
        lines = (environment / "pyvenv.cfg").read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return None
    for line in lines:
        key, _, value = line.partition("=")
        if key.strip() == "home" and value.strip():
            return Path(value.strip())
    return None


def site_packages(environment: Path, python: str) -> Path:
    """Return the folder of an environment that packages are installed into."""
    if sys.platform == "win32":
        return environment / "Lib" / "site-packages"
    return environment / "lib" / f"python{python}" / "site-packages"
