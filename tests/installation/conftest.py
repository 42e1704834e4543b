# SPDX-License-Identifier: GPL-3.0-or-later
"""An engine of two tiny packages, made without a network in a second."""

from __future__ import annotations

import base64
import ensurepip
import hashlib
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cgc_addon.installation.lock import Lock, parse_lock, this_platform, this_python

Entries = dict[str, Any]


def write_wheel(folder: Path, name: str, version: str, code: str = "VALUE = 1\n") -> Path:
    """Write a wheel with one module of the package's name."""
    folder.mkdir(parents=True, exist_ok=True)
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}/__init__.py": code,
        f"{name}/data.txt": "some data\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    rows = [f"{path},{_digest(text)},{len(text)}\n" for path, text in files.items()]
    record = "".join([*rows, f"{info}/RECORD,,\n"])
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for entry, text in {**files, f"{info}/RECORD": record}.items():
            wheel.writestr(entry, text)
    return path


def _digest(text: str) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest())
    return f"sha256={digest.decode().rstrip('=')}"


def entry_of(wheel: Path) -> Entries:
    """Return what a lock says of a wheel."""
    name, version = wheel.name.split("-")[:2]
    content = wheel.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    return {
        "name": name,
        "version": version,
        "file": wheel.name,
        "sha256": digest,
        "bytes": len(content),
    }


def bundled_pip() -> Path:
    """Return the wheel of pip that this Python brings along."""
    folder = Path(ensurepip.__file__).parent / "_bundled"
    wheels = sorted(folder.glob("pip-*.whl"))
    if not wheels:
        pytest.skip("this Python brings no pip along")
    return wheels[-1]


def document_of(wheels: list[Path], **more: Any) -> Entries:
    """Return a lock of pip and some wheels, as JSON has it."""
    return {
        "format": 1,
        "platform": this_platform(),
        "python": this_python(),
        "build": "cpu",
        "indexes": [],
        "installed_bytes": 100_000,
        "packages": [entry_of(bundled_pip()), *(entry_of(wheel) for wheel in wheels)],
        **more,
    }


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Let pip see nothing but what a test gives it, and leave the user's engines alone."""
    for name in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("CGC_ENGINES", str(tmp_path / "engines"))


@pytest.fixture
def wheels(tmp_path: Path) -> list[Path]:
    """Return two tiny wheels, called like packages that the engine tries."""
    folder = tmp_path / "wheels"
    return [write_wheel(folder, "safetensors", "1.0"), write_wheel(folder, "rich", "2.0")]


@pytest.fixture
def offered(wheels: list[Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder that pip finds wheels in, with pip and the two."""
    folder = wheels[0].parent
    (folder / bundled_pip().name).write_bytes(bundled_pip().read_bytes())
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@pytest.fixture
def lock(wheels: list[Path]) -> Lock:
    """Return the lock of the two."""
    return parse_lock(document_of(wheels), "test")


@pytest.fixture
def write_archive(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes an engine archive of wheels."""

    def write(wheels: list[Path], name: str = "engine.zip", **more: Any) -> Path:
        document = document_of(wheels, **more)
        path = tmp_path / name
        with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
            archive.writestr("lock.json", json.dumps(document))
            for wheel in (bundled_pip(), *wheels):
                archive.write(wheel, f"wheels/{wheel.name}")
        return path

    return write
