# SPDX-License-Identifier: GPL-3.0-or-later
"""Engine archives: a lock and its wheels in one plain zip, which *Install Engine* takes."""

from __future__ import annotations

import zipfile
from pathlib import Path

from .fetching import Sources, fetch
from .locks import Lock, read_lock
from .targets import Target

LOCK = "lock.json"
WHEELS = "wheels"


def archive_name(target: Target) -> str:
    """Return the name of an archive's file."""
    return f"cgc-engine-{target}.zip"


def make_archive(target: Target, folder: Path, sources: Sources) -> Path:
    """Fetch what a target's lock names, write its archive and return it.

    Raises:
        SetupError: a file cannot be had.
    """
    lock = read_lock(target)
    files = fetch(lock, lock.packages, sources)
    return write_archive(lock, list(files.values()), folder / archive_name(target))


def write_archive(lock: Lock, files: list[Path], archive: Path) -> Path:
    """Write an archive under its name only when it is whole.

    Wheels are zips already: they are stored as they are, which also lets pip's files be copied out.
    """
    archive.parent.mkdir(parents=True, exist_ok=True)
    unfinished = archive.with_suffix(".part")
    try:
        with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_STORED) as opened:
            opened.writestr(LOCK, lock.as_json())
            for file in sorted(files):
                opened.write(file, f"{WHEELS}/{file.name}")
        unfinished.replace(archive)
    finally:
        unfinished.unlink(missing_ok=True)
    return archive
