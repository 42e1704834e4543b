# SPDX-License-Identifier: GPL-3.0-or-later
"""What packages a folder holds, and whether their files are whole, without running any of them."""

from __future__ import annotations

import csv
import importlib.metadata
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from .lock import Lock, Package


@dataclass(frozen=True)
class Found:
    """How it is with one package of a lock."""

    name: str
    version: str
    """Empty where it is missing."""
    problem: str
    """What is wrong, after its name: "is missing"; empty where nothing is."""


def look_at(packages: Iterable[Package], site_packages: Path) -> list[Found]:
    """Return how it is with packages of a lock in a folder."""
    return [_look_at(package, site_packages) for package in packages]


def sound(lock: Lock, site_packages: Path) -> list[Package]:
    """Return the packages of a lock that a folder holds, in their version and whole."""
    found = look_at(lock.packages, site_packages)
    return [
        package for package, state in zip(lock.packages, found, strict=True) if not state.problem
    ]


def files_of(name: str, site_packages: Path) -> list[Path]:
    """Return the files of a package in a folder, relative to it; without those that lie elsewhere.

    Scripts, which lie elsewhere, name the environment that they were made for and are of no use.
    """
    found = _distribution(name, site_packages)
    return [] if found is None else [Path(path) for path, _ in _recorded(found)]


def _look_at(package: Package, site_packages: Path) -> Found:
    try:
        found = _distribution(package.name, site_packages)
        if found is None:
            return Found(package.name, "", "is missing")
        version = found.version
        wanted = {file.version for file in (package.wheel, package.otherwise) if file is not None}
        if version not in wanted:
            return Found(package.name, version, f"is {version} instead of {package.wheel.version}")
        return Found(package.name, version, _harm(found, site_packages))
    except (OSError, ValueError, KeyError, TypeError) as error:
        return Found(package.name, "", f"cannot be read ({error})")


def _distribution(name: str, site_packages: Path) -> importlib.metadata.Distribution | None:
    context = importlib.metadata.DistributionFinder.Context(name=name, path=[str(site_packages)])
    return next(iter(importlib.metadata.MetadataPathFinder.find_distributions(context)), None)


def _recorded(
    found: importlib.metadata.Distribution,
) -> list[tuple[PurePosixPath, int | None]]:
    """Return path and size of each file in the folder of packages that a package has recorded.

    `Distribution.files` would leave out what is missing, from Python 3.12 on.
    """
    rows = csv.reader((found.read_text("RECORD") or "").splitlines())
    listed = [(PurePosixPath(row[0]), int(row[2]) if row[2:] and row[2] else None) for row in rows]
    return [(path, size) for path, size in listed if not {"..", "/"} & set(path.parts)]


def _harm(found: importlib.metadata.Distribution, site_packages: Path) -> str:
    """Say which file of a package is missing or has another size; empty where all are well."""
    listed = _recorded(found)
    if not listed:
        return "has lost its list of files"
    for path, wanted in listed:
        if wanted is None or path.suffix == ".pyc":
            continue
        try:
            size = os.stat(site_packages / path).st_size  # noqa: PTH116 - ten thousands of them
        except OSError:
            return f"has lost its file {path}"
        if size != wanted:
            return f"is damaged: {path} has {size:,} bytes instead of {wanted:,}"
    return ""
