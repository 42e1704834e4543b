# SPDX-License-Identifier: GPL-3.0-or-later
"""An engine so small that installing it takes a second: pip and wheels of one module each."""

from __future__ import annotations

import base64
import ensurepip
import hashlib
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from cgc_addon.installation.lock import this_platform, this_python

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


def write_archive(path: Path, wheels: list[Path], **more: Any) -> Path:
    """Write an engine archive of pip and wheels; `more` is of its lock."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("lock.json", json.dumps(document_of(wheels, **more)))
        for wheel in (bundled_pip(), *wheels):
            archive.write(wheel, f"wheels/{wheel.name}")
    return path
