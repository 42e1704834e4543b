# SPDX-License-Identifier: GPL-3.0-or-later
"""Blender's own program for extensions: it builds, validates, and lists them for a repository."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from development import blenders
from development.environments import SetupError, last_line, python_of, runs


@dataclass(frozen=True)
class Builder:
    """How the program is started, of a Blender or of Blender as a Python module."""

    command: tuple[str, ...]

    def run(self, *arguments: str) -> str:
        """Run it and return what it printed.

        Raises:
            SetupError: it ended badly, or reports an error and calls that good.
        """
        done = subprocess.run(
            [*self.command, *arguments], capture_output=True, text=True, check=False
        )
        said = done.stdout + done.stderr
        errors = [line for line in said.splitlines() if line.lower().startswith(("error", "fatal"))]
        if done.returncode != 0 or errors:
            reason = errors[0] if errors else last_line(said)
            raise SetupError(f"Blender's builder could not {arguments[0]}: {reason}")
        return said


def find_builder(blender: Path | None) -> Builder:
    """Return the builder of a given Blender, else of the newest module bpy that can be had here.

    Raises:
        SetupError: there is none.
    """
    if blender is not None:
        return Builder((str(blender), "--background", "--command", "extension"))
    for release in reversed(blenders.BLENDERS):
        python = python_of(release.environment)
        if not runs(python):
            found = blenders.find_python(release)
            if found is None:
                continue
            python = blenders.set_up(release, found)
        programs = sorted(release.environment.glob("**/bl_pkg/cli/blender_ext.py"))
        if programs:
            return Builder((str(python), str(programs[0])))
    raise SetupError(
        f"No Blender to build with: {blenders.why_none(blenders.BLENDERS)} Or name one: --blender."
    )


def build(builder: Builder, source: Path, zip_file: Path) -> None:
    """Build the extension in a folder, and let the builder check the folder and the zip."""
    builder.run("validate", str(source))
    zip_file.parent.mkdir(parents=True, exist_ok=True)
    _build(builder, source, zip_file)
    builder.run("validate", str(zip_file))


def _build(builder: Builder, source: Path, zip_file: Path) -> None:
    where: Sequence[str] = ("--source-dir", str(source), "--output-filepath", str(zip_file))
    builder.run("build", *where)
