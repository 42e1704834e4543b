# SPDX-License-Identifier: GPL-3.0-or-later
"""Which wheels and requirements are a platform's and a Python's."""

from __future__ import annotations

import pytest
from packaging.requirements import Requirement

from development.environments import SetupError
from wheels.targets import Target, all_targets, applies, fits, named

LINUX = Target("linux-x64", "3.11", "cpu")
WINDOWS = Target("windows-x64", "3.13", "cuda")
MACOS = Target("macos-arm64", "3.13", "cpu")


@pytest.mark.parametrize(
    ("target", "tag", "expected"),
    [
        (LINUX, "py3-none-any", True),
        (LINUX, "py2.py3-none-any", True),
        (LINUX, "cp311-cp311-manylinux_2_28_x86_64", True),
        (LINUX, "cp311-cp311-manylinux2014_x86_64.manylinux_2_17_x86_64", True),
        (LINUX, "cp311-cp311-linux_x86_64", True),
        (LINUX, "cp310-abi3-manylinux_2_17_x86_64", True),  # the stable interface of an older one
        (LINUX, "cp312-abi3-manylinux_2_17_x86_64", False),  # of a newer one
        (LINUX, "cp313-cp313-manylinux_2_28_x86_64", False),
        (LINUX, "cp311-cp311-manylinux_2_31_x86_64", False),  # glibc is newer than Blender's
        (LINUX, "cp311-cp311-manylinux_2_28_aarch64", False),
        (LINUX, "cp311-cp311-musllinux_1_2_x86_64", False),
        (LINUX, "cp311-cp311-win_amd64", False),
        (WINDOWS, "cp313-cp313-win_amd64", True),
        (WINDOWS, "cp313-cp313t-win_amd64", False),  # without the lock of threads
        (WINDOWS, "cp313-cp313-win_arm64", False),
        (MACOS, "cp313-cp313-macosx_11_0_arm64", True),
        (MACOS, "cp313-cp313-macosx_10_13_universal2", True),
        (MACOS, "cp313-cp313-macosx_14_0_arm64", True),
        (MACOS, "cp313-cp313-macosx_15_0_arm64", False),  # newer than what is asked of users
        (MACOS, "cp313-cp313-macosx_11_0_x86_64", False),
    ],
)
def test_a_wheel_fits_by_its_tag(target: Target, tag: str, expected: bool) -> None:
    assert fits(f"package-1.0-{tag}.whl", target) is expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("a", {LINUX, WINDOWS, MACOS}),
        ('a ; platform_system == "Linux"', {LINUX}),
        ('a ; sys_platform == "win32"', {WINDOWS}),
        ('a ; sys_platform == "darwin" and platform_machine == "arm64"', {MACOS}),
        ('a ; python_version < "3.12"', {LINUX}),
        ('a ; extra == "tests"', set()),
    ],
)
def test_a_requirement_applies_by_its_marker(line: str, expected: set[Target]) -> None:
    requirement = Requirement(line)
    assert {
        target for target in (LINUX, WINDOWS, MACOS) if applies(requirement, target)
    } == expected


def test_a_requirement_of_an_extra_applies_where_the_extra_is_asked_for() -> None:
    requirement = Requirement('a ; extra == "gpu" and platform_system == "Linux"')
    assert applies(requirement, LINUX, frozenset({"gpu"}))
    assert not applies(requirement, LINUX, frozenset({"other"}))
    assert not applies(requirement, WINDOWS, frozenset({"gpu"}))


def test_every_target_has_a_name_of_its_own() -> None:
    targets = all_targets()
    assert len({str(target) for target in targets}) == len(targets) == 10
    assert all(named(str(target)) == target for target in targets)
    with pytest.raises(SetupError, match=r"no macos-arm64-py3\.11-cuda; choose of linux-x64"):
        named("macos-arm64-py3.11-cuda")
