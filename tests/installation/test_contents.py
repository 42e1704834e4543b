# SPDX-License-Identifier: GPL-3.0-or-later
"""Packages that are missing, harmed, or of another version are told from those that are whole."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from cgc_addon.installation.contents import files_of, look_at, sound
from cgc_addon.installation.lock import Lock

from ..tiny_engine import write_wheel


@pytest.fixture
def folder(tmp_path: Path, wheels: list[Path], lock: Lock) -> Path:
    place = tmp_path / "site-packages"
    for wheel in wheels:
        zipfile.ZipFile(wheel).extractall(place)
    return place


def problem(lock: Lock, folder: Path) -> str:
    return look_at(lock.packages[2:], folder)[0].problem


def test_what_is_whole_is_known(lock: Lock, folder: Path) -> None:
    assert [state.problem for state in look_at(lock.packages, folder)] == ["is missing", "", ""]
    assert sound(lock, folder) == list(lock.packages[1:])
    assert Path("rich/__init__.py") in files_of("rich", folder)


def test_a_lost_file_is_named(lock: Lock, folder: Path) -> None:
    (folder / "rich" / "data.txt").unlink()
    assert problem(lock, folder) == "has lost its file rich/data.txt"


def test_a_cut_file_is_named(lock: Lock, folder: Path) -> None:
    (folder / "rich" / "data.txt").write_text("some")
    assert problem(lock, folder) == "is damaged: rich/data.txt has 4 bytes instead of 10"


def test_another_version_is_named(lock: Lock, folder: Path, tmp_path: Path) -> None:
    import shutil

    shutil.rmtree(folder / "rich-2.0.dist-info")
    zipfile.ZipFile(write_wheel(tmp_path, "rich", "1.9")).extractall(folder)
    assert problem(lock, folder) == "is 1.9 instead of 2.0"


def test_a_lost_list_is_said(lock: Lock, folder: Path) -> None:
    (folder / "rich-2.0.dist-info" / "RECORD").unlink()
    assert problem(lock, folder) == "has lost its list of files"


def test_files_elsewhere_are_left_alone(lock: Lock, folder: Path) -> None:
    record = folder / "rich-2.0.dist-info" / "RECORD"
    record.write_text(record.read_text() + "../../../bin/rich,,99\n/etc/passwd,,1\n")
    assert problem(lock, folder) == ""
    assert all(".." not in path.parts for path in files_of("rich", folder))
    assert not [path for path in files_of("rich", folder) if path.is_absolute()]
