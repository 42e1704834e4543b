# SPDX-License-Identifier: GPL-3.0-or-later
"""The folder of a release, to be put on any server as it is.

    index.json, index.html, cgc-….zip      a repository of the thin extension
    with-engine/                           another one, of the bundles
    engines/                               engine archives
    SHA256SUMS                             of all of them

Thin zips and bundles are of one extension and one version, so they need repositories of their own:
in one, Blender could not tell which is meant.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from development.environments import SetupError, say

from .archiving import make_archive
from .bundling import make_bundle
from .fetching import Sources
from .official_builder import Builder
from .targets import Target
from .thin import make_thin

BUNDLES = "with-engine"
ENGINES = "engines"
SUMS = "SHA256SUMS"


@dataclass(frozen=True)
class Contents:
    """What a release has besides the thin zips."""

    bundles: Sequence[Target] = ()
    engines: Sequence[Target] = ()


def make_release(folder: Path, contents: Contents, sources: Sources, builder: Builder) -> None:
    """Make the whole folder; it appears under its name only when all of it is there.

    Raises:
        SetupError: the folder is there and is no release, or something could not be made.
    """
    if folder.exists() and not (folder / SUMS).is_file() and any(folder.iterdir()):
        raise SetupError(f"{folder} holds something else; name an empty or a new folder.")
    unfinished = folder.with_name(folder.name + ".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    try:
        _fill(unfinished, contents, sources, builder)
        if folder.exists():
            shutil.rmtree(folder)
        unfinished.rename(folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _fill(folder: Path, contents: Contents, sources: Sources, builder: Builder) -> None:
    make_thin(folder, sources.binaries, builder)
    for target in contents.bundles:
        say(f"{make_bundle(target, folder / BUNDLES, sources, builder).name} is built.")
    for target in contents.engines:
        say(f"{make_archive(target, folder / ENGINES, sources).name} is packed.")
    list_extensions(folder, builder)
    if contents.bundles:
        list_extensions(folder / BUNDLES, builder)
    (folder / SUMS).write_text(sums(folder), "utf-8", newline="\n")


def list_extensions(folder: Path, builder: Builder) -> None:
    """Let Blender's program list a folder's zips for machines and for people.

    Raises:
        SetupError: two of them are for the same Blender.
    """
    said = builder.run("server-generate", "--repo-dir", str(folder), "--html")
    if "duplicate" in said:
        raise SetupError(f"{folder.name}: {' '.join(said.split())}")


def sums(folder: Path) -> str:
    """Return the SHA-256 of every file, as `sha256sum --check` reads them."""
    lines = []
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name != SUMS:
            with path.open("rb") as opened:
                digest = hashlib.file_digest(opened, "sha256").hexdigest()
            lines.append(f"{digest}  {path.relative_to(folder).as_posix()}\n")
    return "".join(lines)


def report(folder: Path) -> None:
    """Print every file of a release with its size."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            size = path.stat().st_size / 1e6
            say(f"{size:10,.1f} MB  {path.relative_to(folder).as_posix()}")
