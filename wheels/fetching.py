# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of a lock, brought into a folder and checked against their hashes."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from development.environments import SetupError, say

from .locks import Lock, LockedFile, LockedPackage
from .pip_asked import first_error, for_target

CACHE = Path(__file__).resolve().parents[1] / "dist" / "fetched"
"""Where files stay between calls, so that none is fetched twice."""


@dataclass(frozen=True)
class Sources:
    """Where files are looked for before the indexes are asked."""

    cache: Path = CACHE
    binaries: Path | None = None
    """A folder with our builds of gsplat."""


def fetch(
    lock: Lock, packages: Sequence[LockedPackage], sources: Sources
) -> dict[LockedPackage, Path]:
    """Return the file of each package; what is in the cache already is only checked.

    Raises:
        SetupError: a file can be found nowhere, or is not the one that was locked.
    """
    sources.cache.mkdir(parents=True, exist_ok=True)
    wanted = {package: _at_hand(package, sources) for package in packages}
    missing = {package: file for package, file in wanted.items() if not _is_there(file, sources)}
    if missing:
        size = sum(file.bytes for file in missing.values()) / 1e6
        say(f"{lock.target}: fetching {len(missing)} files, {size:,.0f} MB …")
        _download_all(lock, missing, sources)
    for file in wanted.values():
        _check(sources.cache / file.file, file)
    return {package: sources.cache / file.file for package, file in wanted.items()}


def _at_hand(package: LockedPackage, sources: Sources) -> LockedFile:
    """Return the package's own file, or what stands in for one that no index has."""
    if package.otherwise is None or _is_there(package.locked_file, sources):
        return package.locked_file
    built = sources.binaries and sources.binaries / package.file
    if built and built.is_file():
        shutil.copyfile(built, sources.cache / package.file)
        return package.locked_file
    return package.otherwise


def _is_there(file: LockedFile, sources: Sources) -> bool:
    return (sources.cache / file.file).is_file()


def _download_all(lock: Lock, missing: dict[LockedPackage, LockedFile], sources: Sources) -> None:
    """Fetch files, together or, where pip stops at one of them, one by one.

    Raises:
        SetupError: naming all that cannot be had.
    """
    if not _download(lock, missing, sources):
        return
    failures = {
        file.file: reason
        for package, file in missing.items()
        if not _is_there(file, sources) and (reason := _download(lock, {package: file}, sources))
    }
    if failures:
        places = " or ".join(["the index that pip is set to", *lock.indexes])
        raise SetupError(
            f"{lock.target}: {', '.join(failures)} cannot be had from {places} "
            f"({next(iter(failures.values()))}); run again where one of them has it, or put it "
            f"into {sources.cache}."
        )


def _download(lock: Lock, missing: dict[LockedPackage, LockedFile], sources: Sources) -> str:
    """Let pip fetch files; return what it says in the end, nothing when all went well."""
    lines = [
        f"{package.name}==={file.version} --hash=sha256:{file.sha256}"
        for package, file in missing.items()
    ]
    indexes = [part for index in lock.indexes for part in ("--extra-index-url", index)]
    with tempfile.TemporaryDirectory(dir=sources.cache) as folder:
        listed = Path(folder, "wanted.txt")
        listed.write_text("\n".join(lines) + "\n", "utf-8")
        command = [sys.executable, "-m", "pip", "download", "--no-input", "--quiet"]
        command += ["--disable-pip-version-check", "--require-hashes", "--dest", folder]
        command += [*for_target(lock.target), *indexes, "--timeout", "30", "--retries", "2"]
        fetched = subprocess.run(
            [*command, "-r", str(listed)], capture_output=True, text=True, check=False
        )
        for wheel in Path(folder).glob("*.whl"):
            wheel.replace(sources.cache / wheel.name)
    if fetched.returncode == 0:
        return ""
    return first_error(fetched.stderr)


def _check(path: Path, file: LockedFile) -> None:
    """Raise when a file is not the one that was locked, and remove it."""
    with path.open("rb") as opened:
        digest = hashlib.file_digest(opened, "sha256").hexdigest()
    if digest != file.sha256:
        path.unlink()
        raise SetupError(
            f"{path.name} has the SHA-256 {digest}, locked is {file.sha256}; it was removed, run "
            "again to fetch it anew."
        )
