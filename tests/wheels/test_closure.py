# SPDX-License-Identifier: GPL-3.0-or-later
"""What a set of packages lacks is found, for the target and with the extras that count."""

from __future__ import annotations

from wheels.closure import Pinned, unmet
from wheels.targets import Target

LINUX = Target("linux-x64", "3.11", "cuda")
WINDOWS = Target("windows-x64", "3.11", "cuda")


def told(packages: dict[str, Pinned], target: Target = LINUX) -> list[str]:
    return [str(want) for want in unmet(packages, target)]


def test_a_whole_set_lacks_nothing() -> None:
    assert told({"a": Pinned("1", ("B_b>=2", "a")), "b-b": Pinned("2.5", ())}) == []


def test_a_package_that_is_missing_is_told() -> None:
    assert told({"a": Pinned("1", ("b>=2",))}) == ["a asks for b>=2, the lock lacks it"]


def test_a_version_that_does_not_do_is_told() -> None:
    packages = {"a": Pinned("1", ("b>=2",)), "b": Pinned("1.9", ())}
    assert told(packages) == ["a asks for b>=2, the lock has 1.9"]


def test_a_build_of_a_version_is_that_version() -> None:
    assert told({"a": Pinned("1", ("b==2",)), "b": Pinned("2+cpu", ())}) == []


def test_markers_are_those_of_the_target() -> None:
    packages = {"a": Pinned("1", ('b ; platform_system == "Linux"',))}
    assert told(packages) == ['a asks for b; platform_system == "Linux", the lock lacks it']
    assert told(packages, WINDOWS) == []


def test_extras_are_followed_from_package_to_package() -> None:
    packages = {
        "a": Pinned("1", ("b[c]",)),
        "b": Pinned("1", ('d[e] ; extra == "c"', 'unasked ; extra == "f"')),
        "d": Pinned("1", ('last ; extra == "e"',)),
    }
    assert told(packages) == ['d asks for last; extra == "e", the lock lacks it']
