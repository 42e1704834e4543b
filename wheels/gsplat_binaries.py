# SPDX-License-Identifier: GPL-3.0-or-later
"""Our builds of gsplat in locks: no index has them, so each names what stands in for it.

A build fits one torch with one CUDA and one Python; its version says so: `1.5.3+pt213cu130`.
"""

from __future__ import annotations

import hashlib
import zipfile
from dataclasses import replace
from pathlib import Path

from packaging.utils import parse_wheel_filename

from .locks import Lock, LockedPackage
from .targets import fits


def with_binary(lock: Lock, folder: Path | None) -> Lock:
    """Return the lock of a CUDA engine with our gsplat from a folder, if it has one that fits."""
    if folder is None or lock.target.build != "cuda":
        return lock
    packages = tuple(
        _replaced(package, lock, folder) if package.name == "gsplat" else package
        for package in lock.packages
    )
    if packages == lock.packages:
        return lock
    binary = next(package for package in packages if package.name == "gsplat")
    with zipfile.ZipFile(folder / binary.file) as wheel:
        unpacked = sum(entry.file_size for entry in wheel.infolist())
    return replace(lock, packages=packages, installed_bytes=lock.installed_bytes + unpacked)


def _replaced(pure: LockedPackage, lock: Lock, folder: Path) -> LockedPackage:
    for file in sorted(folder.glob("gsplat-*+*.whl")):
        version = parse_wheel_filename(file.name)[1]
        if fits(file.name, lock.target) and version.public == pure.version:
            digest = hashlib.sha256(file.read_bytes()).hexdigest()
            return LockedPackage(
                pure.name, str(version), file.name, digest, file.stat().st_size, pure.locked_file
            )
    return pure
