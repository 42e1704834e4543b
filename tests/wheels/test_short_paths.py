# SPDX-License-Identifier: GPL-3.0-or-later
"""Licences that lie too deep for Windows are moved, and everything that names them follows."""

from __future__ import annotations

import base64
import hashlib
import zipfile
from pathlib import Path

import pytest

from development.environments import SetupError
from wheels.short_paths import is_too_long, shortened

DEEP = "/".join(["third_party"] * 12)
INFO = "torch-2.dist-info"


def line(name: str, content: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")
    return f"{name},sha256={digest},{len(content)}"


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    licences = [f"{DEEP}/one/LICENSE", f"{DEEP}/two/LICENSE", "LICENSE"]
    metadata = "Name: torch\n" + "".join(f"License-File: {name}\n" for name in licences)
    files = {
        "torch/__init__.py": b"x = 1\n",
        f"{INFO}/METADATA": metadata.encode(),
        **{f"{INFO}/licenses/{name}": f"text of {name}".encode() for name in licences},
    }
    path = tmp_path / "torch-2-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as opened:
        opened.writestr(f"{INFO}/licenses/{DEEP}/", b"")
        for name, content in files.items():
            opened.writestr(name, content)
        record = [line(name, content) for name, content in files.items()]
        opened.writestr(f"{INFO}/RECORD", "\n".join([*record, f"{INFO}/RECORD,,", ""]))
    return path


def test_the_copy_keeps_every_text_under_a_name_that_fits(wheel: Path, tmp_path: Path) -> None:
    short = shortened(wheel, tmp_path / "short")
    assert short.name == wheel.name
    with zipfile.ZipFile(wheel) as old, zipfile.ZipFile(short) as new:
        names = new.namelist()
        assert not any(is_too_long(name) for name in names)
        texts = {old.read(name) for name in old.namelist() if "/licenses/" in name}
        assert {new.read(name) for name in names if "/licenses/" in name} == texts - {b""}
        assert new.read("torch/__init__.py") == old.read("torch/__init__.py")

        record = new.read(f"{INFO}/RECORD").decode().splitlines()
        told = [line(name, new.read(name)) for name in names if not name.endswith("RECORD")]
        assert sorted(record) == sorted([*told, f"{INFO}/RECORD,,"])

        metadata = new.read(f"{INFO}/METADATA").decode().splitlines()
        listed = [text.partition(": ")[2] for text in metadata if text.startswith("License-File")]
        assert len(listed) == 3
        assert all(f"{INFO}/licenses/{name}" in names for name in listed)


def test_a_wheel_without_deep_files_is_taken_as_it_is(wheel: Path, tmp_path: Path) -> None:
    short = shortened(wheel, tmp_path / "short")
    assert shortened(short, tmp_path / "again") == short


def test_a_deep_module_cannot_be_moved(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel, "a") as opened:
        opened.writestr(f"torch/{DEEP}/module.py", b"")
    with pytest.raises(SetupError, match=r"module\.py of torch-2-.* too long a name"):
        shortened(wheel, tmp_path / "short")
