# SPDX-License-Identifier: GPL-3.0-or-later
"""Indexes that are folders, and locks of what is in them: no test here needs a network."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cgc_addon.installation.lock import Lock, parse_lock

from ..tiny_engine import bundled_pip, document_of, write_wheel
from ..tiny_engine import write_archive as write_archive_to


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Let pip see nothing but what a test gives it, and leave the user's engines alone."""
    for name in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
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
        return write_archive_to(tmp_path / name, wheels, **more)

    return write
