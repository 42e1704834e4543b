# SPDX-License-Identifier: GPL-3.0-or-later
"""What pressing Install Engine would do: what comes from where, and how much of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import bpy

from ...installation.hardware import has_nvidia_driver
from ...installation.lock import lock_path, read_lock, this_platform
from ...installation.places import engine_home
from ...installation.space import MARGIN, free_bytes, in_words
from ..common import preferences
from .base import Base, find_base

AUTOMATIC = "auto"
BUILDS = (
    (AUTOMATIC, "Automatic", "CUDA where an NVIDIA driver answers, else CPU"),
    ("cpu", "CPU", "For any processor; the smaller one"),
    ("cuda", "CUDA", "For NVIDIA cards; runs on the processor as well"),
)
OFFLINE = (
    "Blender may not go online; allow it in Preferences > System > Network > Allow Online Access, "
    "or install from an engine archive that you have as a file."
)
OFFLINE_FROM_OUTSIDE = (
    "Blender was started with --offline-mode, or kept from going online by whoever set it up; "
    "start it without, or install from an engine archive that you have as a file."
)


@dataclass(frozen=True)
class BuildPlan:
    """One build of PyTorch that can be had."""

    name: str
    download: int
    """Bytes."""
    installed: int
    """Bytes."""
    meanwhile: int = 0
    """Bytes that are taken besides while it is installed."""

    @property
    def needed(self) -> int:
        """Bytes that have to be free while it is installed."""
        return self.download + self.installed + self.meanwhile


@dataclass(frozen=True)
class EnginePlan:
    """What can be installed here."""

    base: Base
    engines: Path
    """Folder of the engines."""
    builds: tuple[BuildPlan, ...]
    nvidia: bool
    """Whether an NVIDIA driver answers."""
    free: int | None
    """Bytes that are free there; None where that cannot be told."""

    def build(self, choice: str) -> BuildPlan:
        """Return the build that a choice means: one that can be had, whatever is chosen."""
        wanted = choice
        if choice == AUTOMATIC:
            wanted = "cuda" if self.nvidia else "cpu"
        return next((build for build in self.builds if build.name == wanted), self.builds[0])

    def folder(self, choice: str) -> Path:
        """Return the folder that the engine comes into."""
        return engine_home(self.engines, self.base.python, self.build(choice).name).folder

    def size_sentence(self, choice: str) -> str:
        """Say how much comes, and what it becomes."""
        build = self.build(choice)
        return f"{in_words(build.download)} to download, {in_words(build.installed)} on the disk"

    def room_sentence(self, choice: str) -> str:
        """Say how much is free, and whether that is enough."""
        if self.free is None:
            return "How much is free there cannot be told"
        needed, free = self.build(choice).needed, in_words(self.free)
        if self.free < needed:
            return f"Not enough room: {in_words(needed)} are needed meanwhile, {free} are free"
        return f"{free} are free there"

    def has_room(self, choice: str) -> bool:
        """Return whether there is room, as far as can be told."""
        return self.free is None or self.free >= self.build(choice).needed


def plan_engine() -> EnginePlan:
    """Return what can be installed; asks the NVIDIA driver, which may take a second.

    Raises:
        CgcError: there is nothing for this machine.
    """
    base = find_base()
    engines = preferences.engines_folder()
    locks = [read_lock(lock_path(this_platform(), base.python, name)) for name in base.builds]
    builds = tuple(
        BuildPlan(lock.build, lock.download_size, lock.installed_size, lock.largest_size + MARGIN)
        for lock in locks
    )
    return EnginePlan(base, engines, builds, has_nvidia_driver(), free_bytes(engines))


def offline_sentence() -> str:
    """Say why Blender may not go online, and who can change that; empty where it may."""
    if bpy.app.online_access:
        return ""
    return OFFLINE_FROM_OUTSIDE if bpy.app.online_access_override else OFFLINE
