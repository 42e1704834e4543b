# SPDX-License-Identifier: GPL-3.0-or-later
"""Where engines lie: one folder of the user's, in it one for each Python and build of PyTorch."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

VARIABLE = "CGC_ENGINES"
"""Environment variable that names the folder of the engines; it goes before the preferences."""


def engines_folder(setting: str = "") -> Path:
    """Return the folder of the engines; it need not exist.

    It lies outside of Blender's folders, so that it survives updates of the extension and of
    Blender.

    Args:
        setting: what the preferences name, perhaps nothing.
    """
    named = os.environ.get(VARIABLE, "").strip() or setting.strip()
    if named:
        return Path(os.path.expandvars(named)).expanduser().absolute()
    if sys.platform == "win32":
        data = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        data = Path.home() / "Library" / "Application Support"
    else:
        data = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    return data / "cgc-engine"


@dataclass(frozen=True)
class EngineHome:
    """The folder of one engine, whether it exists or not."""

    folder: Path

    @property
    def stamp(self) -> Path:
        """What says that there is an engine, and which environment in here it is."""
        return self.folder / "engine.json"

    @property
    def downloads(self) -> Path:
        """What was downloaded and is not installed yet."""
        return self.folder / "downloads"

    @property
    def lock_file(self) -> Path:
        """Held by the process that changes this folder."""
        return self.folder / "changing.lock"

    @property
    def removal_mark(self) -> Path:
        """Says that what is here is to go as soon as nothing holds it any more."""
        return self.folder / "remove"

    def environments(self) -> list[Path]:
        """Return the environments in here, finished or not."""
        return sorted(path for path in self.folder.glob("python-*") if path.is_dir())

    def new_environment(self) -> Path:
        """Return a folder for a further environment; it is not made.

        Environments hold absolute paths, so each is made where it stays. The short name leaves
        Windows, which knows no longer path than 260 characters, room for what is inside.
        """
        number = 1
        while (self.folder / f"python-{number}").exists():
            number += 1
        return self.folder / f"python-{number}"


def engine_home(engines: Path, python: str, build: str) -> EngineHome:
    """Return the home of an engine in the folder of the engines: "py3.11-cpu"."""
    return EngineHome(engines / f"py{python}-{build}")


def homes_in(engines: Path) -> list[EngineHome]:
    """Return the homes that exist."""
    try:
        return [EngineHome(path) for path in sorted(engines.glob("py*-*")) if path.is_dir()]
    except OSError:
        return []


def python_of(environment: Path) -> Path:
    """Return the interpreter of an environment, whether it exists or not."""
    if os.name == "nt":
        return environment / "Scripts" / "python.exe"
    return environment / "bin" / "python"
