# SPDX-License-Identifier: GPL-3.0-or-later
"""Engines in a folder of the test's own, and an archive to install one from."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from ...tiny_engine import document_of, write_archive, write_wheel


@pytest.fixture
def engines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return the folder of the engines, empty, where nothing else names a Python."""
    from cgc_addon.blender.install import facts
    from cgc_addon.blender.jobs import registry as jobs

    monkeypatch.setenv("CGC_ENGINES", str(tmp_path / "engines"))
    monkeypatch.delenv("CGC_PYTHON", raising=False)
    facts.look()
    yield tmp_path / "engines"
    facts.keep_check(None)
    jobs.keep_problem(None)
    jobs.keep_worker_report(None)


@pytest.fixture
def wheels(tmp_path: Path) -> list[Path]:
    """Return two tiny wheels, called like packages that the engine needs."""
    folder = tmp_path / "wheels"
    return [write_wheel(folder, "safetensors", "1.0"), write_wheel(folder, "rich", "2.0")]


@pytest.fixture
def archive(tmp_path: Path, wheels: list[Path]) -> Path:
    """Return an engine archive."""
    return write_archive(tmp_path / "engine.zip", wheels)


@pytest.fixture
def locks(tmp_path: Path, wheels: list[Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let the extension come with locks of the two wheels, for both builds."""
    from cgc_addon.installation import lock

    folder = tmp_path / "locks"
    folder.mkdir()
    monkeypatch.setattr(lock, "LOCKS", folder)
    for build in lock.BUILDS:
        path = lock.lock_path(lock.this_platform(), lock.this_python(), build)
        path.write_text(json.dumps(document_of(wheels, build=build)))
    return folder
