# SPDX-License-Identifier: GPL-3.0-or-later
"""Thin zips: the extension without an engine, which *Install Engine* fetches.

Where there are builds of gsplat for a platform, its thin zip carries them, since no index has them.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Sequence
from pathlib import Path

from development.environments import SetupError

from .official_builder import Builder, build
from .staging import MANIFEST, build_thin, extension_version, place, unpack_thin, with_values
from .targets import LOCKS, PYTHONS, Target, fits

PLATFORMS = ("linux-x64", "linux-arm64", "macos-arm64", "macos-x64", "windows-arm64", "windows-x64")
"""Every platform of Blender. Two zips of one version may not be for the same: where one platform
has a zip of its own, the others have to be named, too."""
CARRIED = Path("cgc_addon", "installation", "wheels")
"""Where the installer looks first."""


def make_thin(folder: Path, binaries: Path | None, builder: Builder) -> list[Path]:
    """Build the zip for every platform, or one for each that has binaries and one for the rest.

    Raises:
        SetupError: the installer would not look for a binary, since no lock names it.
    """
    carried = {
        platform: binaries_for(platform, binaries) for platform in ("linux-x64", "windows-x64")
    }
    carried = {platform: files for platform, files in carried.items() if files}
    for file in (file for files in carried.values() for file in files):
        if not _is_locked(file):
            raise SetupError(
                f"{file} stands in no lock as it is; first run `python3 wheels/build.py gsplat "
                f"{file.parent}`."
            )
    name = f"cgc-{extension_version()}"
    if not carried:
        whole = folder / f"{name}.zip"
        build_thin(builder, whole)
        return [whole]
    rest = [platform for platform in PLATFORMS if platform not in carried]
    made = [_staged(folder / f"{name}-other.zip", rest, [], builder)]
    for platform, files in carried.items():
        made.append(_staged(folder / f"{name}-{platform}.zip", [platform], files, builder))
    return made


def binaries_for(platform: str, folder: Path | None) -> list[Path]:
    """Return our builds of gsplat in a folder that fit a platform with one of Blender's Pythons."""
    if folder is None:
        return []
    targets = [Target(platform, python, "cuda") for python in PYTHONS]
    return [
        file
        for file in sorted(folder.glob("gsplat-*+*.whl"))
        if any(fits(file.name, target) for target in targets)
    ]


def _is_locked(file: Path) -> bool:
    """Return whether this very file is named in a lock."""
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    return any(digest in lock.read_text("utf-8") for lock in LOCKS.glob("*-cuda.json"))


def _staged(
    zip_file: Path, platforms: Sequence[str], binaries: Sequence[Path], builder: Builder
) -> Path:
    with tempfile.TemporaryDirectory() as temporary:
        stage = Path(temporary, "stage")
        unpack_thin(builder, stage)
        place(binaries, stage / CARRIED)
        manifest = (stage / MANIFEST).read_text("utf-8")
        (stage / MANIFEST).write_text(with_values(manifest, {"platforms": platforms}), "utf-8")
        build(builder, stage, zip_file)
    return zip_file
