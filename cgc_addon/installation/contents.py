# SPDX-License-Identifier: GPL-3.0-or-later
"""What packages a folder holds, and whether their files are whole, without running any of them."""

from __future__ import annotations

import importlib.metadata
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

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
    listed = () if found is None else found.files or ()
    return [Path(entry) for entry in listed if ".." not in entry.parts]


def _look_at(package: Package, site_packages: Path) -> Found:
    try:
        found = _distribution(package.name, site_packages)
        if found is None:
            return Found(package.name, "", "is missing")
        version = found.version
        wanted = {file.version for file in (package.wheel, package.otherwise) if file is not None}
        if version not in wanted:
            return Found(package.name, version, f"is {version} instead of {package.wheel.version}")
        return Found(package.name, version, _harm(found))
    except (OSError, ValueError, KeyError, TypeError) as error:
        return Found(package.name, "", f"cannot be read ({error})")


def _distribution(name: str, site_packages: Path) -> importlib.metadata.Distribution | None:
    context = importlib.metadata.DistributionFinder.Context(name=name, path=[str(site_packages)])
    return next(iter(importlib.metadata.MetadataPathFinder.find_distributions(context)), None)


def _harm(found: importlib.metadata.Distribution) -> str:
    """Say which file of a package is missing or has another size; empty where all are well."""
    listed = found.files
    if not listed:
        return "has lost its list of files"
    for entry in listed:
        if entry.size is None or entry.suffix == ".pyc" or ".." in entry.parts:
            continue
        try:
            size = os.stat(str(found.locate_file(entry))).st_size  # noqa: PTH116 - ten thousands
        except OSError:
            return f"has lost its file {entry}"
        if size != entry.size:
            return f"is damaged: {entry} has {size:,} bytes instead of {entry.size:,}"
    return ""
