# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a set of packages is whole: what each of them asks for on a target is among them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from .targets import Target, applies


@dataclass(frozen=True)
class Pinned:
    """One package of a set."""

    version: str
    requires: tuple[str, ...]


@dataclass(frozen=True)
class Want:
    """A requirement that the set does not meet."""

    by: str
    requirement: Requirement
    has: str | None
    """The version that is there but does not do, None where there is none."""

    def __str__(self) -> str:
        there = f"the lock has {self.has}" if self.has else "the lock lacks it"
        return f"{self.by} asks for {self.requirement}, {there}"


def unmet(packages: Mapping[str, Pinned], target: Target) -> list[Want]:
    """Return what packages ask for on the target and do not have among them.

    Extras that one package asks of another are followed, wherever in the set that is written.

    Args:
        packages: by canonical name.
        target: whose markers count.
    """
    extras = _extras_asked(packages, target)
    wants = []
    for name, package in packages.items():
        for requirement in requirements_of(package.requires, target, extras[name]):
            has = packages.get(canonicalize_name(requirement.name))
            if has is None or not requirement.specifier.contains(has.version, prereleases=True):
                wants.append(Want(name, requirement, has.version if has else None))
    return wants


def requirements_of(
    lines: Sequence[str], target: Target, extras: frozenset[str]
) -> list[Requirement]:
    """Return the requirements among lines of metadata that hold on the target."""
    every = [Requirement(line) for line in lines]
    return [requirement for requirement in every if applies(requirement, target, extras)]


def _extras_asked(packages: Mapping[str, Pinned], target: Target) -> dict[str, frozenset[str]]:
    """Return the extras that each package is asked for, till no more come."""
    extras = {name: frozenset[str]() for name in packages}
    while True:
        grown = dict(extras)
        for name, package in packages.items():
            for requirement in requirements_of(package.requires, target, extras[name]):
                asked = canonicalize_name(requirement.name)
                if asked in grown:
                    grown[asked] |= requirement.extras
        if grown == extras:
            return extras
        extras = grown
