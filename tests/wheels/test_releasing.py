# SPDX-License-Identifier: GPL-3.0-or-later
"""The folder of a release takes nothing that is not its own, and tells the sum of each file."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import pytest

from development.environments import SetupError
from wheels.fetching import Sources
from wheels.official_builder import Builder
from wheels.releasing import SUMS, Contents, make_release, sums


def no_builder() -> Builder:
    return Builder(("python-that-is-not-there",))


def test_a_folder_with_other_things_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "diary.txt").write_text("mine")
    with pytest.raises(SetupError, match="holds something else"):
        make_release(tmp_path, Contents(), Sources(tmp_path / "cache"), no_builder())
    assert [path.name for path in tmp_path.iterdir()] == ["diary.txt"]


def test_a_release_that_fails_leaves_the_one_of_before(tmp_path: Path) -> None:
    release = tmp_path / "release"
    release.mkdir()
    (release / SUMS).write_text("")
    (release / "cgc-0.1.0.zip").write_bytes(b"before")
    with pytest.raises(FileNotFoundError):
        make_release(release, Contents(), Sources(tmp_path / "cache"), no_builder())
    assert (release / "cgc-0.1.0.zip").read_bytes() == b"before"
    assert [path.name for path in tmp_path.iterdir()] == ["release"]


def test_sums_are_those_that_sha256sum_checks(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "b.zip").write_bytes(b"b")
    (tmp_path / "a.zip").write_bytes(b"a")
    (tmp_path / SUMS).write_text(sums(tmp_path), "utf-8")
    lines = (tmp_path / SUMS).read_text().splitlines()
    assert lines == [
        f"{hashlib.sha256(b'a').hexdigest()}  a.zip",
        f"{hashlib.sha256(b'b').hexdigest()}  folder/b.zip",
    ]
    try:
        checked = subprocess.run(["sha256sum", "--check", SUMS], cwd=tmp_path, check=False)
    except FileNotFoundError:
        return
    assert checked.returncode == 0
