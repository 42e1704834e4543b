# SPDX-License-Identifier: GPL-3.0-or-later
"""Our builds of gsplat go before the one that compiles, where they fit."""

from __future__ import annotations

from pathlib import Path

import pytest

from development.environments import SetupError
from tests.wheels.tiny_wheels import locked, make_wheel
from wheels.gsplat_binaries import name_binaries, with_binary
from wheels.locks import Lock, lock_from_json
from wheels.official_builder import Builder
from wheels.targets import Target
from wheels.thin import binaries_for, make_thin

CUDA = Target("linux-x64", "3.11", "cuda")


@pytest.fixture
def built(tmp_path: Path) -> Path:
    folder = tmp_path / "built"
    for python in ("cp311", "cp313"):
        make_wheel(folder, "gsplat", "1.5.3+pt213cu130", [], f"{python}-{python}-linux_x86_64")
    return folder


def lock_for(target: Target, tmp_path: Path, version: str = "1.5.3") -> Lock:
    return Lock(target, (), 100, (locked(make_wheel(tmp_path, "gsplat", version)),))


def test_the_binary_of_the_python_goes_first_and_the_pure_one_stands_in(
    built: Path, tmp_path: Path
) -> None:
    lock = lock_for(CUDA, tmp_path)
    with_it = with_binary(lock, built)
    (package,) = with_it.packages
    assert package.file == "gsplat-1.5.3+pt213cu130-cp311-cp311-linux_x86_64.whl"
    assert package.version == "1.5.3+pt213cu130"
    assert package.otherwise == lock.packages[0].locked_file
    assert with_it.installed_bytes > lock.installed_bytes
    assert lock_from_json(with_it.as_json(), "lock") == with_it


def test_a_build_made_again_takes_the_place_of_the_one_of_before(
    built: Path, tmp_path: Path
) -> None:
    lock = lock_for(CUDA, tmp_path)
    before = with_binary(lock, built)
    assert with_binary(before, built) == before
    again = tmp_path / "again"
    make_wheel(
        again, "gsplat", "1.5.3+pt213cu130", ['pip ; extra == "dev"'], "cp311-cp311-linux_x86_64"
    )
    (package,) = with_binary(before, again).packages
    assert package.sha256 != before.packages[0].sha256
    assert package.otherwise == lock.packages[0].locked_file


def test_a_build_for_another_torch_is_refused(tmp_path: Path) -> None:
    make_wheel(
        tmp_path, "gsplat", "1.5.3+pt214cu130", ["torch==2.14.0"], "cp311-cp311-linux_x86_64"
    )
    pure, torch = make_wheel(tmp_path, "gsplat", "1.5.3"), make_wheel(tmp_path, "torch", "2.13.0")
    lock = Lock(CUDA, (), 100, (locked(pure), locked(torch)))
    with pytest.raises(SetupError, match=r"gsplat asks for torch==2\.14\.0, the lock has 2\.13\.0"):
        with_binary(lock, tmp_path)


def test_a_folder_without_a_build_that_fits_is_told(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="has no build of gsplat for any of linux-x64"):
        name_binaries([CUDA], tmp_path)


@pytest.mark.parametrize(
    ("target", "version"),
    [
        (Target("linux-x64", "3.11", "cpu"), "1.5.3"),
        (Target("windows-x64", "3.11", "cuda"), "1.5.3"),
        (CUDA, "1.6.0"),
    ],
    ids=["no card", "another system", "another version"],
)
def test_elsewhere_the_lock_stays_as_it_is(
    target: Target, version: str, built: Path, tmp_path: Path
) -> None:
    lock = lock_for(target, tmp_path, version)
    assert with_binary(lock, built) == lock
    assert with_binary(lock, None) == lock


def test_a_thin_zip_carries_those_of_its_platform(built: Path) -> None:
    assert len(binaries_for("linux-x64", built)) == 2
    assert binaries_for("windows-x64", built) == []
    assert binaries_for("linux-x64", None) == []


def test_a_binary_that_no_lock_names_is_not_carried_for_nothing(
    built: Path, tmp_path: Path
) -> None:
    with pytest.raises(SetupError, match=r"cp311-linux_x86_64\.whl stands in no lock as it is"):
        make_thin(tmp_path / "out", built, Builder(("python-that-is-not-there",)))
