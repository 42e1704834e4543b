# SPDX-License-Identifier: GPL-3.0-or-later
"""Files come by their hash, once; what cannot be had is named."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from development.environments import SetupError
from tests.wheels.tiny_wheels import locked, make_wheel
from wheels.fetching import Sources, fetch
from wheels.locks import Lock
from wheels.targets import Target

TARGET = Target("linux-x64", "3.11", "cuda")


def lock_of(*packages) -> Lock:
    return Lock(TARGET, (), 1, packages)


def test_files_come_from_the_index_and_then_from_the_cache(index: Path, tmp_path: Path) -> None:
    sources = Sources(tmp_path / "cache")
    package = locked(make_wheel(index, "one", "1", [], "cp311-cp311-manylinux_2_28_x86_64"))
    (file,) = fetch(lock_of(package), [package], sources).values()
    assert file == tmp_path / "cache" / package.file
    (index / package.file).unlink()
    assert fetch(lock_of(package), [package], sources) == {package: file}


def test_a_file_of_another_hash_is_refused_by_name(index: Path, tmp_path: Path) -> None:
    package = replace(locked(make_wheel(index, "one", "1")), sha256="0" * 64)
    with pytest.raises(SetupError, match=r"one-1-py3-none-any\.whl cannot be had"):
        fetch(lock_of(package), [package], Sources(tmp_path / "cache"))


def test_a_damaged_file_in_the_cache_is_removed(index: Path, tmp_path: Path) -> None:
    sources = Sources(tmp_path / "cache")
    package = locked(make_wheel(index, "one", "1"))
    (file,) = fetch(lock_of(package), [package], sources).values()
    file.write_bytes(b"damaged")
    with pytest.raises(SetupError, match="it was removed, run again"):
        fetch(lock_of(package), [package], sources)
    assert fetch(lock_of(package), [package], sources)[package].stat().st_size == package.bytes


def test_only_what_cannot_be_had_is_named(index: Path, tmp_path: Path) -> None:
    there = locked(make_wheel(index, "there", "1"))
    gone = locked(make_wheel(tmp_path, "gone", "1"))
    with pytest.raises(SetupError) as raised:
        fetch(lock_of(there, gone), [there, gone], Sources(tmp_path / "cache"))
    assert "linux-x64-py3.11-cuda: gone-1-py3-none-any.whl cannot be had" in str(raised.value)
    assert "there-1" not in str(raised.value)


def test_a_binary_of_ours_comes_from_its_folder_else_what_stands_in(
    index: Path, tmp_path: Path
) -> None:
    pure = locked(make_wheel(index, "gsplat", "1"))
    built = make_wheel(tmp_path / "built", "gsplat", "1+pt2", [], "cp311-cp311-linux_x86_64")
    package = replace(locked(built), otherwise=pure.locked_file)
    without = Sources(tmp_path / "first")
    assert fetch(lock_of(package), [package], without)[package].name == pure.file
    given = Sources(tmp_path / "second", built.parent)
    assert fetch(lock_of(package), [package], given)[package].name == built.name
