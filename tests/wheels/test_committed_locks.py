# SPDX-License-Identifier: GPL-3.0-or-later
"""The locks in the repository are those of its requirements, whole and sound."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from wheels.bundling import NOT_FOR_BUNDLES, bundled
from wheels.locking import INSTALLER, PINNED_BY_TORCH, REQUIREMENTS, requirements
from wheels.locks import LockedPackage, read_lock
from wheels.pytorch_index import index_of, known_torch, marked
from wheels.targets import LOCKS, Target, all_targets, fits

every_target = pytest.mark.parametrize("target", all_targets(), ids=str)


def test_there_is_a_lock_for_every_target_and_no_other() -> None:
    assert {path.stem for path in LOCKS.glob("*.json")} == {str(name) for name in all_targets()}


@every_target
def test_a_lock_has_every_requirement_in_its_version(target: Target) -> None:
    packages = {package.name: package for package in read_lock(target).packages}
    for requirement in requirements(REQUIREMENTS, target):
        version = str(requirement.specifier).removeprefix("==")
        if requirement.name == "torch":
            version = marked(version, target)
        package = packages[canonicalize_name(requirement.name)]
        versions = [package.version, *([package.otherwise.version] if package.otherwise else [])]
        assert version in versions, requirement
    (pip,) = requirements(INSTALLER, target, only=("pip",))
    assert next(iter(packages.values())).name == "pip"
    assert packages["pip"].version == str(pip.specifier).removeprefix("==")


@every_target
def test_a_lock_has_nothing_that_nobody_asked_for(target: Target) -> None:
    asked = {canonicalize_name(item.name) for item in requirements(REQUIREMENTS, target)} | {"pip"}
    more = {package.name for package in read_lock(target).packages} - asked
    assert all(PINNED_BY_TORCH.match(name) for name in more)
    assert bool(more) == (target.platform == "linux-x64" and target.build == "cuda")


@every_target
def test_every_file_fits_its_target_and_is_named_once(target: Target) -> None:
    lock = read_lock(target)
    assert len({package.name for package in lock.packages}) == len(lock.packages)
    assert len({package.file for package in lock.packages}) == len(lock.packages)
    for package in lock.packages:
        assert_sound(package, target)
    assert lock.installed_bytes > lock.download_bytes


def assert_sound(package: LockedPackage, target: Target) -> None:
    files = [package.locked_file, *([package.otherwise] if package.otherwise else [])]
    for file in files:
        assert fits(file.file, target), file.file
        assert re.fullmatch(r"[0-9a-f]{64}", file.sha256)
        assert file.bytes > 0
        name, version, *_ = file.file.split("-")
        assert (canonicalize_name(name), version) == (package.name, file.version)


@every_target
def test_torch_is_of_the_build_and_the_index_that_has_it_is_named(target: Target) -> None:
    lock = read_lock(target)
    index = index_of(target)
    assert lock.indexes == ((index,) if index else ())
    torch = next(package for package in lock.packages if package.name == "torch")
    if index:
        assert torch.sha256 == known_torch("2.13.0", target).sha256
        assert torch.version.partition("+")[2] == index.rpartition("/")[2]
    else:
        assert "+" not in torch.version


@every_target
def test_no_address_of_a_file_and_no_other_index_stands_in_a_lock(target: Target) -> None:
    addresses = re.findall(r"https?://[^\"]+", target.lock.read_text("utf-8"))
    assert all(address == index_of(target) for address in addresses)


@every_target
def test_a_lock_is_written_as_it_was_read(target: Target) -> None:
    assert read_lock(target).as_json() == target.lock.read_text("utf-8")


@every_target
def test_bundles_bring_no_package_of_blenders_own(target: Target) -> None:
    names = {package.name for package in bundled(read_lock(target))}
    assert not names & NOT_FOR_BUNDLES
    assert {"torch", "numba", "gsplat", "typing-extensions"} <= names


@pytest.mark.parametrize(
    "lock",
    sorted(Path(REQUIREMENTS.parent).glob("requirements-blender-*.lock")),
    ids=lambda f: f.stem,
)
def test_what_blender_brings_is_what_its_module_asks_for(lock: Path) -> None:
    """Packages of Blender's locks are Blender's, pytest's and hypothesis's: none else is shared."""
    of_the_tests = {
        *(
            "bpy",
            "hypothesis",
            "pytest",
            "colorama",
            "iniconfig",
            "packaging",
            "pluggy",
            "pygments",
        ),
        *("sortedcontainers", "typing-extensions"),
    }
    names = set()
    for line in lock.read_text("utf-8").splitlines():
        if found := re.match(r"([\w.-]+)==", line):
            names.add(canonicalize_name(found[1]))
    assert names - of_the_tests <= NOT_FOR_BUNDLES
