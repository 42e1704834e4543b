# SPDX-License-Identifier: GPL-3.0-or-later
"""Locks are read as they are described, and what is none is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cgc_addon.errors import CgcError
from cgc_addon.installation import lock as locks
from cgc_addon.installation.lock import Lock, builds_for, locked_pythons, parse_lock, read_lock
from cgc_addon.installation.needed import NEEDED

from ..tiny_engine import document_of

COMING = sorted(locks.LOCKS.glob("*.json"))


def test_what_is_written_is_read(lock: Lock, wheels: list[Path]) -> None:
    assert [package.name for package in lock.packages] == ["pip", "safetensors", "rich"]
    assert lock.packages[2].wheel.size == wheels[1].stat().st_size
    assert lock.download_size == sum(package.wheel.size for package in lock.packages)
    again = parse_lock(dict(reversed(lock.document.items())), "test")
    assert again.digest == lock.digest
    other = parse_lock({**lock.document, "installed_bytes": 1}, "test")
    assert other.digest != lock.digest


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("file", "../../outside.whl"),
        ("file", ".hidden.whl"),
        ("sha256", "1234"),
        ("bytes", -1),
        ("bytes", True),
        ("version", ""),
        ("name", "--index-url=http://example.org"),
    ],
)
def test_an_entry_that_nobody_would_write_is_refused(
    wheels: list[Path], key: str, value: Any
) -> None:
    document = document_of(wheels)
    document["packages"][1][key] = value
    with pytest.raises(CgcError, match="test is damaged"):
        parse_lock(document, "test")


@pytest.mark.parametrize("document", [None, [], {}, {"format": 2}])
def test_what_is_no_lock_is_said(document: Any) -> None:
    with pytest.raises(CgcError, match="test is not a lock of the format 1"):
        parse_lock(document, "test")


def test_locks_are_found_by_platform_and_python(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "LOCKS", tmp_path)
    for name in ("linux-x64-py3.9-cpu", "linux-x64-py3.11-cuda", "linux-x64-py3.11-cpu"):
        (tmp_path / f"{name}.json").write_text("{}")
    assert builds_for("linux-x64", "3.11") == ("cpu", "cuda")
    assert builds_for("macos-arm64", "3.11") == ()
    assert locked_pythons("linux-x64") == ("3.11", "3.9")


@pytest.mark.parametrize("path", COMING, ids=[path.stem for path in COMING])
def test_each_lock_has_all_that_the_engine_imports_and_pip_first(path: Path) -> None:
    lock = read_lock(path)
    names = [package.name for package in lock.packages]
    assert names[0] == "pip"
    assert set(NEEDED) <= set(names)
    assert path.stem == str(lock)
