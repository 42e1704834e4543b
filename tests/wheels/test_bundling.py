# SPDX-License-Identifier: GPL-3.0-or-later
"""A bundle says for which Blender it is, and holds the engine and nothing of Blender's own."""

from __future__ import annotations

import tomllib
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from development.environments import SetupError
from tests.wheels.tiny_wheels import locked, make_wheel
from wheels.bundling import bundle_name, bundled, check_bundle, staged_manifest
from wheels.locks import Lock
from wheels.staging import MANIFEST, place, strangers, with_values
from wheels.targets import ROOT, Target

TARGET = Target("linux-x64", "3.11", "cpu")
SOURCE = (ROOT / MANIFEST).read_text("utf-8")


@pytest.fixture
def lock(tmp_path: Path) -> Lock:
    wheels = [
        make_wheel(tmp_path, "pip", "26.3"),
        make_wheel(tmp_path, "numpy", "1.26.4", [], "cp311-cp311-manylinux_2_17_x86_64"),
        make_wheel(tmp_path, "torch", "2+cpu", [], "cp311-cp311-manylinux_2_28_x86_64"),
        make_wheel(tmp_path, "scikit-learn", "1", [], "cp311-cp311-manylinux_2_28_x86_64"),
    ]
    return Lock(TARGET, (), 1, tuple(locked(wheel) for wheel in wheels))


def bundle_of(lock: Lock, folder: Path, files: list[str]) -> Path:
    """Write a bundle as the builder would, from wheels beside it."""
    path = folder / "bundle.zip"
    with zipfile.ZipFile(path, "w") as opened:
        opened.writestr(MANIFEST, staged_manifest(SOURCE, lock.target, files))
        for file in files:
            opened.write(folder / file, f"wheels/{file}")
    return path


def test_what_blender_and_nobody_needs_is_left_out(lock: Lock) -> None:
    assert [package.name for package in bundled(lock)] == ["torch", "scikit-learn"]


def test_a_bundle_of_exactly_the_lock_is_good(lock: Lock, tmp_path: Path) -> None:
    check_bundle(bundle_of(lock, tmp_path, [package.file for package in bundled(lock)]), lock)


def test_a_missing_wheel_and_one_of_blenders_own_are_found(lock: Lock, tmp_path: Path) -> None:
    files = [package.file for package in bundled(lock)]
    with pytest.raises(SetupError, match=r"scikit_learn-1-.* is not in all three"):
        check_bundle(bundle_of(lock, tmp_path, files[:1]), lock)
    with pytest.raises(SetupError, match=r"numpy-1\.26\.4-.* is not in all three"):
        check_bundle(bundle_of(lock, tmp_path, [*files, lock.packages[1].file]), lock)


def test_a_wheel_in_another_folder_is_found(lock: Lock, tmp_path: Path) -> None:
    files = [package.file for package in bundled(lock)]
    bundle = bundle_of(lock, tmp_path, files)
    with zipfile.ZipFile(bundle, "a") as opened:
        opened.write(tmp_path / files[0], f"left/{files[0]}")
    with pytest.raises(SetupError, match="left/torch"):
        check_bundle(bundle, lock)


def test_a_wheel_for_another_platform_is_found(lock: Lock, tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, "numba", "1", [], "cp311-cp311-win_amd64")
    wrong = replace(lock, packages=(locked(wheel),))
    with pytest.raises(SetupError, match=r"numba-1-.*win_amd64\.whl does not fit linux-x64"):
        check_bundle(bundle_of(wrong, tmp_path, [wheel.name]), wrong)


def test_the_manifest_names_wheels_platform_and_blenders() -> None:
    old = tomllib.loads(SOURCE)
    new = tomllib.loads(staged_manifest(SOURCE, TARGET, ["a-1-py3-none-any.whl"]))
    assert new.pop("wheels") == ["./wheels/a-1-py3-none-any.whl"]
    assert new.pop("platforms") == ["linux-x64"]
    assert (new.pop("blender_version_min"), new.pop("blender_version_max")) == ("4.5.0", "5.1.0")
    old.pop("blender_version_min")
    assert new == old  # tables as well

    newer = tomllib.loads(staged_manifest(SOURCE, replace(TARGET, python="3.13"), []))
    assert newer["blender_version_min"] == "5.1.0"
    assert "blender_version_max" not in newer


def test_the_manifest_in_the_repository_stays_thin() -> None:
    assert not {"wheels", "platforms"} & set(tomllib.loads(SOURCE))


def test_values_replace_what_a_manifest_had() -> None:
    text = with_values(
        'id = "a"\nversion = "1"\n\n[build]\nversion = "of a table"\n', {"version": "2"}
    )
    assert tomllib.loads(text) == {"id": "a", "version": "2", "build": {"version": "of a table"}}


def test_names_tell_version_platform_and_python() -> None:
    version = tomllib.loads(SOURCE)["version"]
    assert bundle_name(TARGET) == f"cgc-{version}-linux-x64-py3.11.zip"


def test_what_git_does_not_know_is_a_stranger_in_a_zip() -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("needs a checkout")
    assert strangers(["cgc_addon/__init__.py", "dump/large.whl", MANIFEST]) == ["dump/large.whl"]


def test_files_are_placed_by_name(tmp_path: Path) -> None:
    files = [make_wheel(tmp_path, name, "1") for name in ("b", "a")]
    assert place(files, tmp_path / "stage") == [files[1].name, files[0].name]
    assert (tmp_path / "stage" / files[0].name).read_bytes() == files[0].read_bytes()
