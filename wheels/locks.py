# SPDX-License-Identifier: GPL-3.0-or-later
"""Locks as files: every package of an engine, each one file with its hash.

The format is described in docs/bundles.md.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from development.environments import SetupError

from .targets import Target

FORMAT = 1


@dataclass(frozen=True)
class LockedFile:
    """One file of one version."""

    version: str
    file: str
    sha256: str
    bytes: int


@dataclass(frozen=True)
class LockedPackage:
    """One package of an engine."""

    name: str
    version: str
    file: str
    sha256: str
    bytes: int
    otherwise: LockedFile | None = None
    """What stands in where the file can be found nowhere: binaries of our own lie on no index."""

    @property
    def locked_file(self) -> LockedFile:
        """The file without the name of the package."""
        return LockedFile(self.version, self.file, self.sha256, self.bytes)


@dataclass(frozen=True)
class Lock:
    """The whole of what one engine is installed from; pip comes first."""

    target: Target
    indexes: tuple[str, ...]
    installed_bytes: int
    packages: tuple[LockedPackage, ...]

    @property
    def download_bytes(self) -> int:
        """What all files are together."""
        return sum(package.bytes for package in self.packages)

    def as_json(self) -> str:
        """Return the text of its file, one package a line."""
        head = {
            "format": FORMAT,
            "platform": self.target.platform,
            "python": self.target.python,
            "build": self.target.build,
            "indexes": list(self.indexes),
            "installed_bytes": self.installed_bytes,
        }
        lines = [f" {json.dumps(key)}: {json.dumps(value)}," for key, value in head.items()]
        packages = ",\n".join(f"  {json.dumps(_entry(package))}" for package in self.packages)
        return "\n".join(["{", *lines, ' "packages": [', packages, " ]", "}", ""])


def _entry(package: LockedPackage) -> dict[str, Any]:
    entry = asdict(package)
    if package.otherwise is None:
        del entry["otherwise"]
    return entry


def read_lock(target: Target) -> Lock:
    """Return the lock of a target.

    Raises:
        SetupError: there is none.
    """
    if not target.lock.is_file():
        raise SetupError(
            f"There is no lock for {target}; `python3 wheels/build.py lock` writes it, or says "
            "what keeps it from being written."
        )
    return lock_from_json(target.lock.read_text("utf-8"), target.lock)


def write_lock(lock: Lock) -> None:
    """Write a lock to where the lock of its target lies."""
    lock.target.lock.parent.mkdir(parents=True, exist_ok=True)
    lock.target.lock.write_text(lock.as_json(), "utf-8", newline="\n")


def lock_from_json(text: str, place: Path | str) -> Lock:
    """Return what a lock's file says.

    Args:
        text: its JSON.
        place: where it comes from, for the sentence when it is broken.

    Raises:
        SetupError: it is no lock of this format.
    """
    try:
        values = json.loads(text)
        if values["format"] != FORMAT:
            raise ValueError(f"its format is {values['format']}, not {FORMAT}")
        packages = tuple(_package(entry) for entry in values["packages"])
        return Lock(
            Target(values["platform"], values["python"], values["build"]),
            tuple(values["indexes"]),
            values["installed_bytes"],
            packages,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise SetupError(f"{place} is no lock ({error}); write it anew.") from error


def _package(entry: dict[str, Any]) -> LockedPackage:
    package = LockedPackage(**entry)
    if package.otherwise is None:
        return package
    return replace(package, otherwise=LockedFile(**entry["otherwise"]))
