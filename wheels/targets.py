# SPDX-License-Identifier: GPL-3.0-or-later
"""What a lock is made for: a platform, Blender's Python on it, and a build of PyTorch.

A wheel fits a target by the tags in its name, a requirement applies to it by its marker; both are
judged by the library `packaging`, for a machine that need not be this one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement
from packaging.tags import Tag, compatible_tags, cpython_tags, mac_platforms
from packaging.utils import parse_wheel_filename

from development.environments import SetupError

ROOT = Path(__file__).resolve().parents[1]
LOCKS = ROOT / "cgc_addon" / "installation" / "locks"

PLATFORMS = ("linux-x64", "windows-x64", "macos-arm64")
"""As Blender writes them in manifests."""
PYTHONS = ("3.11", "3.13")
"""Of Blender 4.5 and 5.0, and of 5.1 to 5.3."""
BUILDS = ("cpu", "cuda")

GLIBC = (2, 28)
"""The oldest that Blender itself runs with on Linux."""
MACOS = (14, 0)
"""The oldest macOS that a lock is made for: PyTorch's wheels ask for it, Blender for less."""
LEGACY_MANYLINUX = {(2, 17): "manylinux2014", (2, 12): "manylinux2010", (2, 5): "manylinux1"}


@dataclass(frozen=True, order=True)
class Target:
    """One lock: "linux-x64", "3.11", "cpu"."""

    platform: str
    python: str
    build: str

    def __str__(self) -> str:
        return f"{self.platform}-py{self.python}-{self.build}"

    @property
    def lock(self) -> Path:
        """The file of its lock."""
        return LOCKS / f"{self}.json"

    @property
    def version(self) -> tuple[int, int]:
        """Its Python as numbers."""
        major, minor = self.python.split(".")
        return int(major), int(minor)


def all_targets() -> tuple[Target, ...]:
    """Return every target there is; PyTorch has no CUDA for macOS."""
    return tuple(
        Target(platform, python, build)
        for platform in PLATFORMS
        for python in PYTHONS
        for build in BUILDS
        if (platform, build) != ("macos-arm64", "cuda")
    )


def named(text: str) -> Target:
    """Return the target that a text such as "linux-x64-py3.11-cpu" names.

    Raises:
        SetupError: there is no such target; the sentence lists those there are.
    """
    for target in all_targets():
        if str(target) == text:
            return target
    raise SetupError(f"There is no {text}; choose of {', '.join(map(str, all_targets()))}.")


def platform_tags(platform: str) -> list[str]:
    """Return the platform tags that a wheel may have, the best first."""
    if platform == "windows-x64":
        return ["win_amd64"]
    if platform == "macos-arm64":
        return list(mac_platforms(MACOS, "arm64"))
    tags: list[str] = []
    for minor in range(GLIBC[1], 4, -1):
        tags.append(f"manylinux_{GLIBC[0]}_{minor}_x86_64")
        if (GLIBC[0], minor) in LEGACY_MANYLINUX:
            tags.append(f"{LEGACY_MANYLINUX[GLIBC[0], minor]}_x86_64")
    return [*tags, "linux_x86_64"]


def supported_tags(target: Target) -> Iterator[Tag]:
    """Yield every tag that the target's Python takes, the best first."""
    platforms = platform_tags(target.platform)
    abi = f"cp{target.python.replace('.', '')}"
    yield from cpython_tags(target.version, [abi], platforms)
    yield from compatible_tags(target.version, abi, platforms)


def fits(file: str, target: Target) -> bool:
    """Return whether a wheel of this name can be installed on the target.

    Raises:
        InvalidWheelFilename: the name is no wheel's.
    """
    return not parse_wheel_filename(file)[3].isdisjoint(supported_tags(target))


def marker_environment(target: Target) -> dict[str, str]:
    """Return what markers are asked against: the target as Python would describe itself there."""
    system, machine, sys_platform, os_name = {
        "linux-x64": ("Linux", "x86_64", "linux", "posix"),
        "windows-x64": ("Windows", "AMD64", "win32", "nt"),
        "macos-arm64": ("Darwin", "arm64", "darwin", "posix"),
    }[target.platform]
    return {
        "implementation_name": "cpython",
        "implementation_version": f"{target.python}.9",
        "os_name": os_name,
        "platform_machine": machine,
        "platform_python_implementation": "CPython",
        "platform_release": "",
        "platform_system": system,
        "platform_version": "",
        "python_full_version": f"{target.python}.9",
        "python_version": target.python,
        "sys_platform": sys_platform,
    }


def applies(requirement: Requirement, target: Target, extras: frozenset[str] = frozenset()) -> bool:
    """Return whether a requirement holds on the target, for any of the extras asked for."""
    if requirement.marker is None:
        return True
    environment = marker_environment(target)
    return any(
        requirement.marker.evaluate({**environment, "extra": extra}) for extra in ("", *extras)
    )
