# SPDX-License-Identifier: GPL-3.0-or-later
"""Taking engines away, whole; what cannot be deleted yet goes at the next start."""

from __future__ import annotations

import os
import shutil
import stat
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ..errors import CgcError
from ..leftovers import remove_leftovers
from .engine import read_engine
from .one_at_a_time import changing
from .places import EngineHome, homes_in
from .space import folder_bytes


@dataclass(frozen=True)
class Removal:
    """What came of it."""

    freed: int
    """Bytes."""
    held: str
    """What another program holds, so that it could not be deleted; empty where all is gone."""

    def sentence(self, home: EngineHome) -> str:
        """Say it to the user, with what was freed in MB."""
        if self.held:
            return (
                f"{self.held} is held by another program and could not be deleted; the rest is "
                "gone, and that goes when Blender starts the next time."
            )
        return f"{home.folder} is gone."


def remove_engine(home: EngineHome) -> Removal:
    """Delete an engine, and what was downloaded for it; what else lies in its folder stays.

    Raises:
        CgcError: another process changes it.
    """
    if not home.folder.is_dir():
        return Removal(0, "")
    with changing(home):
        before = folder_bytes(home.folder)
        return _remove(home, before)


def finish_removals(engines: Path) -> None:
    """Delete what an earlier removal had to leave; says nothing where it still cannot be."""
    for home in homes_in(engines):
        if home.removal_mark.is_file() and read_engine(home) is None:
            with suppress(CgcError):
                remove_engine(home)


def clear_unfinished(home: EngineHome) -> None:
    """Delete environments that never became the engine, and half-written files."""
    engine = read_engine(home)
    kept = None if engine is None else engine.environment
    for environment in home.environments():
        if environment != kept:
            delete_folder(environment)
    remove_leftovers(home.folder)
    with suppress(OSError):
        home.removal_mark.unlink()


def delete_folder(folder: Path) -> str:
    """Delete a folder as far as that can be; return what could not, empty where all is gone."""
    held: list[str] = []

    def keep(function: Callable[..., object], path: str, _error: object) -> None:
        if function is os.open or os.path.isdir(path):  # noqa: PTH112 - of what could not be read
            return  # its files tell
        try:
            os.chmod(path, stat.S_IWRITE)  # noqa: PTH101 - Windows keeps what is read-only
            os.unlink(path)  # noqa: PTH108
        except OSError:
            held.append(path)

    if not folder.exists():
        return ""
    if sys.version_info >= (3, 12):
        shutil.rmtree(folder, onexc=keep)
    else:
        shutil.rmtree(folder, onerror=keep)
    if held:
        return held[0]
    return str(folder) if folder.exists() else ""


def _remove(home: EngineHome, before: int) -> Removal:
    try:
        home.removal_mark.write_text("This engine goes.\n", encoding="utf-8")
        home.stamp.unlink(missing_ok=True)  # from here on there is no engine
    except OSError as error:
        raise CgcError(
            f"{home.folder} cannot be changed ({error.strerror or error}); check its permissions."
        ) from error
    places = [*home.environments(), home.downloads]
    held = [found for place in places if (found := delete_folder(place))]
    remove_leftovers(home.folder)
    if held:
        return Removal(max(0, before - folder_bytes(home.folder)), held[0])
    home.removal_mark.unlink(missing_ok=True)
    return Removal(before, "")
