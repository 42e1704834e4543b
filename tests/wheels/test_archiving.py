# SPDX-License-Identifier: GPL-3.0-or-later
"""An engine archive holds its lock and all of its wheels, as they are."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from development.environments import SetupError
from tests.wheels.tiny_wheels import locked, make_wheel
from wheels.archiving import archive_name, write_archive
from wheels.locks import Lock, lock_from_json
from wheels.targets import Target

TARGET = Target("windows-x64", "3.13", "cuda")


def test_an_archive_gives_back_what_was_put_in(tmp_path: Path) -> None:
    wheels = [make_wheel(tmp_path, name, "1") for name in ("torch", "numba")]
    lock = Lock(TARGET, ("https://example.com",), 5, tuple(locked(wheel) for wheel in wheels))
    archive = write_archive(lock, wheels, tmp_path / "out" / archive_name(TARGET))

    assert archive.name == "cgc-engine-windows-x64-py3.13-cuda.zip"
    with zipfile.ZipFile(archive) as opened:
        assert lock_from_json(opened.read("lock.json").decode(), archive) == lock
        assert {entry.compress_type for entry in opened.infolist()} == {zipfile.ZIP_STORED}
        for wheel in wheels:
            assert opened.read(f"wheels/{wheel.name}") == wheel.read_bytes()
    assert [path.name for path in archive.parent.iterdir()] == [archive.name]


def test_an_archive_that_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    lock = Lock(TARGET, (), 5, ())
    with pytest.raises(FileNotFoundError):
        write_archive(lock, [tmp_path / "gone.whl"], tmp_path / "out" / "archive.zip")
    assert list((tmp_path / "out").iterdir()) == []


def test_what_is_no_lock_is_refused_by_its_place() -> None:
    for text in ("{", "[]", '{"format": 2}', '{"format": 1, "packages": [{"name": "a"}]}'):
        with pytest.raises(SetupError, match=r"archive\.zip is no lock"):
            lock_from_json(text, "archive.zip")
