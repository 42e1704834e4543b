# SPDX-License-Identifier: GPL-3.0-or-later
"""Locks: which packages make up the engine, each with its file, its size and its hash."""

from __future__ import annotations

import hashlib
import json
import platform
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import CgcError
from ..files import read_json

FORMAT = 1
LOCKS = Path(__file__).resolve().parent / "locks"
BUILDS = ("cpu", "cuda")
_SYSTEMS = {"linux": "linux", "win32": "windows", "darwin": "macos"}
_MACHINES = {"x86_64": "x64", "amd64": "x64", "arm64": "arm64", "aarch64": "arm64"}


@dataclass(frozen=True)
class PackageFile:
    """One file of a package, as an index has it."""

    version: str
    file: str
    sha256: str
    size: int
    """Bytes."""


@dataclass(frozen=True)
class Package:
    """One package of a lock."""

    name: str
    wheel: PackageFile
    otherwise: PackageFile | None = None
    """What is taken where nobody has the wheel."""

    @property
    def digests(self) -> frozenset[str]:
        """SHA-256 of each file that may be installed."""
        files = (self.wheel,) if self.otherwise is None else (self.wheel, self.otherwise)
        return frozenset(file.sha256 for file in files)


@dataclass(frozen=True)
class Lock:
    """The engine for one platform, Python and build of PyTorch, in the order of installing."""

    platform: str
    python: str
    """"3.11"."""
    build: str
    """"cpu" or "cuda"."""
    indexes: tuple[str, ...]
    """Where to look beside pip's own index."""
    installed_size: int
    """Bytes of the whole environment."""
    packages: tuple[Package, ...]
    document: Mapping[str, Any]
    """As it was read."""

    @property
    def digest(self) -> str:
        """What tells this lock from any other."""
        text = json.dumps(self.document, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def download_size(self) -> int:
        """Bytes of all its files."""
        return sum(package.wheel.size for package in self.packages)

    @property
    def largest_size(self) -> int:
        """Bytes of the largest file, which is there twice for a moment while it comes."""
        return max((package.wheel.size for package in self.packages), default=0)

    def __str__(self) -> str:
        return f"{self.platform}-py{self.python}-{self.build}"


def this_platform() -> str:
    """Return this machine's platform as Blender names it: "linux-x64"."""
    machine = platform.machine().lower()
    system = _SYSTEMS.get(sys.platform, sys.platform)
    return f"{system}-{_MACHINES.get(machine, machine)}"


def this_python() -> str:
    """Return the version of the Python that runs this: "3.11"."""
    return f"{sys.version_info[0]}.{sys.version_info[1]}"


def lock_path(on_platform: str, python: str, build: str) -> Path:
    """Return where the lock lies that comes with this extension, if there is one."""
    return LOCKS / f"{on_platform}-py{python}-{build}.json"


def builds_for(on_platform: str, python: str) -> tuple[str, ...]:
    """Return the builds that there are locks for."""
    return tuple(build for build in BUILDS if lock_path(on_platform, python, build).is_file())


def locked_pythons(on_platform: str) -> tuple[str, ...]:
    """Return the Pythons that there are locks for, the newest first."""
    names = {path.stem.split("-py")[1].split("-")[0] for path in LOCKS.glob(f"{on_platform}-py*-*")}
    return tuple(
        sorted(names, key=lambda text: tuple(int(part) for part in text.split(".")), reverse=True)
    )


def read_lock(path: Path) -> Lock:
    """Read a lock.

    Raises:
        CgcError: it is missing, or none.
    """
    return parse_lock(read_json(path), str(path))


def parse_lock(document: Any, source: str) -> Lock:
    """Return the lock that a JSON document describes.

    Raises:
        CgcError: it describes none; `source` is where it stands.
    """
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise CgcError(
            f"{source} is not a lock of the format {FORMAT}; use one that belongs to this version."
        )
    try:
        return Lock(
            platform=_text(document, "platform"),
            python=_text(document, "python"),
            build=_text(document, "build"),
            indexes=tuple(str(index) for index in document.get("indexes", ())),
            installed_size=_count(document, "installed_bytes"),
            packages=tuple(_package(entry) for entry in document["packages"]),
            document=document,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise CgcError(
            f"{source} is damaged ({type(error).__name__}: {error}); install the extension anew."
        ) from error


def _package(entry: dict[str, Any]) -> Package:
    other = entry.get("otherwise")
    return Package(_text(entry, "name"), _file(entry), None if other is None else _file(other))


def _file(entry: dict[str, Any]) -> PackageFile:
    name, digest = _text(entry, "file"), _text(entry, "sha256").lower()
    if Path(name).name != name or name.startswith("."):
        raise ValueError(f"{name!r} is no file name")
    if len(digest) != 64 or set(digest) - set("0123456789abcdef"):
        raise ValueError(f"{digest!r} is no SHA-256")
    return PackageFile(_text(entry, "version"), name, digest, _count(entry, "bytes"))


def _text(entry: dict[str, Any], key: str) -> str:
    value = entry[key]
    if not isinstance(value, str) or not value or value.startswith("-"):
        raise ValueError(f"{key} is {value!r}")
    return value


def _count(entry: dict[str, Any], key: str) -> int:
    value = entry[key]
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"{key} is {value!r}")
    return value
