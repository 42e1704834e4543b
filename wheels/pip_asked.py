# SPDX-License-Identifier: GPL-3.0-or-later
"""Which file pip would install on a target: asked of pip, from whatever index it is set to."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.utils import canonicalize_name

from development.environments import SetupError, last_line

from .targets import Target, platform_tags


@dataclass(frozen=True)
class FoundWheel:
    """What pip would fetch for one requirement."""

    name: str
    version: str
    address: str
    sha256: str | None
    """None where the index tells none."""
    requires: tuple[str, ...]
    """Its own requirements, as its metadata writes them."""


class NotFoundError(SetupError):
    """No wheel of a package fits a target."""


def for_target(target: Target) -> list[str]:
    """Return pip's options that make it choose for the target, and wheels only."""
    platforms = [part for tag in platform_tags(target.platform) for part in ("--platform", tag)]
    python = ["--implementation", "cp", "--python-version", target.python]
    return ["--only-binary=:all:", "--no-deps", *python, *platforms]


def find_wheels(
    requirements: Sequence[str], target: Target, options: Sequence[str] = ()
) -> list[FoundWheel]:
    """Return the wheels that pip would install for requirements without markers.

    Raises:
        NotFoundError: for one of them there is none, or the index does not answer.
    """
    with tempfile.TemporaryDirectory() as folder:
        report, wanted = Path(folder, "report.json"), Path(folder, "wanted.txt")
        wanted.write_text("\n".join(requirements) + "\n", "utf-8")
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-input"]
        command += ["--disable-pip-version-check", "--dry-run", "--ignore-installed"]
        command += ["--target", str(Path(folder, "nowhere")), "--report", str(report)]
        command += [*for_target(target), *options, "-r", str(wanted)]
        asked = subprocess.run(command, capture_output=True, text=True, check=False)
        if asked.returncode != 0:
            raise NotFoundError(f"pip finds no wheel: {first_error(asked.stderr)}")
        return [_found(entry) for entry in json.loads(report.read_text("utf-8"))["install"]]


def first_error(text: str) -> str:
    """Return the first error that pip tells; those after it are about the first."""
    errors = [line for line in text.splitlines() if line.startswith("ERROR: ")]
    return errors[0].removeprefix("ERROR: ") if errors else last_line(text)


def _found(entry: dict) -> FoundWheel:
    source, metadata = entry["download_info"], entry["metadata"]
    hashes = source.get("archive_info", {}).get("hashes", {})
    return FoundWheel(
        canonicalize_name(metadata["name"]),
        metadata["version"],
        source["url"],
        hashes.get("sha256"),
        tuple(metadata.get("requires_dist", ())),
    )
