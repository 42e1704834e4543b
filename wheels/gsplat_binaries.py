# SPDX-License-Identifier: GPL-3.0-or-later
"""Our builds of gsplat in locks: no index has them, so each names what stands in for it.

A build fits one torch with one CUDA and one Python; its version says so: `1.5.3+pt213cu130`.
"""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from email.parser import HeaderParser
from pathlib import Path

from packaging.utils import parse_wheel_filename

from development.environments import SetupError

from .closure import Pinned, unmet
from .locks import Lock, LockedPackage, read_lock, write_lock
from .targets import Target, fits


def with_binary(lock: Lock, folder: Path | None) -> Lock:
    """Return the lock of a CUDA engine with our gsplat from a folder, if it has one that fits.

    A build of before is replaced; what stands in for it stays.

    Raises:
        SetupError: the build is for packages of other versions.
    """
    if folder is None or lock.target.build != "cuda":
        return lock
    packages = tuple(
        _replaced(package, lock, folder) if package.name == "gsplat" else package
        for package in lock.packages
    )
    had = next((package for package in lock.packages if package.otherwise), None)
    if packages == lock.packages or had is not None:
        return replace(lock, packages=packages)
    binary = next(package for package in packages if package.name == "gsplat")
    with zipfile.ZipFile(folder / binary.file) as wheel:
        unpacked = sum(entry.file_size for entry in wheel.infolist())
    # Room for either: which of the two comes is found out when it is installed.
    return replace(lock, packages=packages, installed_bytes=lock.installed_bytes + unpacked)


def name_binaries(targets: Sequence[Target], folder: Path) -> None:
    """Name our builds of gsplat in the locks that are there; the other packages stay as they are.

    Raises:
        SetupError: the folder has none that fits any of them.
    """
    named = 0
    for target in targets:
        before = read_lock(target)
        lock = with_binary(before, folder)
        if lock != before:
            write_lock(lock)
        named += any(package.otherwise for package in lock.packages)
    if not named:
        wanted = ", ".join(map(str, targets))
        raise SetupError(f"{folder} has no build of gsplat for any of {wanted}.")


def _replaced(package: LockedPackage, lock: Lock, folder: Path) -> LockedPackage:
    pure = package.otherwise or package.locked_file
    for file in sorted(folder.glob("gsplat-*+*.whl")):
        version = parse_wheel_filename(file.name)[1]
        if fits(file.name, lock.target) and version.public == pure.version:
            _check_requirements(file, str(version), lock)
            digest = hashlib.sha256(file.read_bytes()).hexdigest()
            size = file.stat().st_size
            return LockedPackage(package.name, str(version), file.name, digest, size, pure)
    return package


def _check_requirements(file: Path, version: str, lock: Lock) -> None:
    """Raise where a build asks for another version of something than the lock has."""
    with zipfile.ZipFile(file) as wheel:
        (name,) = [name for name in wheel.namelist() if name.endswith(".dist-info/METADATA")]
        metadata = HeaderParser().parsestr(wheel.read(name).decode())
    packages = {package.name: Pinned(package.version, ()) for package in lock.packages}
    packages["gsplat"] = Pinned(version, tuple(metadata.get_all("Requires-Dist", [])))
    for want in unmet(packages, lock.target):
        raise SetupError(f"{file.name} is not for {lock.target}: {want}.")
