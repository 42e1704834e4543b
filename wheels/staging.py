# SPDX-License-Identifier: GPL-3.0-or-later
"""The extension in a folder of its own, with a manifest that says more than the repository's."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tomllib
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from development.environments import SetupError

from .official_builder import Builder, build
from .targets import ROOT

MANIFEST = "blender_manifest.toml"


def unpack_thin(builder: Builder, folder: Path) -> None:
    """Put what the thin zip holds into an empty folder."""
    thin = folder.with_suffix(".zip")
    build_thin(builder, thin)
    with zipfile.ZipFile(thin) as opened:
        opened.extractall(folder)
    thin.unlink()


def build_thin(builder: Builder, zip_file: Path) -> None:
    """Build the extension of the repository.

    Raises:
        SetupError: something that is not of the repository would come along.
    """
    build(builder, ROOT, zip_file)
    with zipfile.ZipFile(zip_file) as opened:
        strange = strangers(opened.namelist())
    if strange:
        zip_file.unlink()
        raise SetupError(
            f"{ROOT / strange[0]} is not of the repository and would be in the zip; move it away, "
            "or add it to git."
        )


def strangers(names: Iterable[str]) -> list[str]:
    """Return those names of files that git does not know; none where there is no git."""
    try:
        listed = subprocess.run(
            ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return []  # an unpacked archive of the sources
    return sorted(set(names) - set(listed.stdout.split("\0")))


def extension_version() -> str:
    """Return the version in the manifest of the repository."""
    return tomllib.loads((ROOT / MANIFEST).read_text("utf-8"))["version"]


def with_values(manifest: str, values: Mapping[str, str | Sequence[str]]) -> str:
    """Return a manifest's text with values in place of what it had, before its first table.

    Args:
        manifest: TOML.
        values: strings and lists of strings by key.
    """
    table = re.search(r"(?m)^\[", manifest)
    head, tail = (manifest, "") if table is None else _cut(manifest, table.start())
    for key in values:
        head = re.sub(rf"(?m)^{key}\s*=.*\n", "", head)
    lines = [f"{key} = {_toml(value)}\n" for key, value in values.items()]
    return head.rstrip("\n") + "\n" + "".join(lines) + "\n" + tail


def _cut(text: str, place: int) -> tuple[str, str]:
    return text[:place], text[place:]


def _toml(value: str | Sequence[str]) -> str:
    if isinstance(value, str):
        return json.dumps(value)
    return "[\n" + "".join(f"  {json.dumps(entry)},\n" for entry in value) + "]"


def place(files: Iterable[Path], folder: Path) -> list[str]:
    """Put files into a folder, as links where that goes, and return their names, sorted."""
    folder.mkdir(parents=True, exist_ok=True)
    names = []
    for file in files:
        names.append(file.name)
        try:
            os.link(file, folder / file.name)
        except OSError:
            shutil.copyfile(file, folder / file.name)
    return sorted(names)
