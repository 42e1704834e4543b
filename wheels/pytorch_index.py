# SPDX-License-Identifier: GPL-3.0-or-later
"""The builds of torch that only PyTorch's own index has, and what is known of them."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from cgc_addon.installation.hardware import PYTORCH_INDEXES
from development.environments import SetupError

from .targets import Target, fits

FACTS = Path(__file__).with_name("pytorch_files.toml")

SYSTEMS = {"linux-x64": "Linux", "windows-x64": "Windows"}
"""How Python names the system of a platform whose PyTorch may lie in an index of its own."""


@dataclass(frozen=True)
class KnownFile:
    """A wheel of torch that need not be asked for to be known."""

    name: str
    sha256: str
    bytes: int
    unpacked: int
    requires: tuple[str, ...]

    @property
    def version(self) -> str:
        """With its mark: "2.13.0+cpu"."""
        return self.name.split("-")[1]


def index_of(target: Target) -> str | None:
    """Return the index that has the target's torch, None where it is PyPI."""
    return PYTORCH_INDEXES.get((SYSTEMS.get(target.platform, ""), target.build))


def marked(version: str, target: Target) -> str:
    """Return the version of torch as the target's index writes it: "2.13.0+cpu"."""
    index = index_of(target)
    return f"{version}+{index.rpartition('/')[2]}" if index else version


def known_torch(version: str, target: Target) -> KnownFile:
    """Return the facts of the target's torch.

    Raises:
        SetupError: they are of another version.
    """
    facts = tomllib.loads(FACTS.read_text("utf-8"))
    for entry in facts["file"]:
        known = KnownFile(**entry, requires=tuple(facts["requires"]))
        if known.version == marked(version, target) and fits(known.name, target):
            return known
    raise SetupError(
        f"{FACTS.name} has no torch {marked(version, target)} for {target}; add the file's hash "
        f"and size as {index_of(target)} tells them."
    )
