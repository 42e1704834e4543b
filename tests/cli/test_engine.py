# SPDX-License-Identifier: GPL-3.0-or-later
"""The verbs of the engine: from an archive, without a network."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cgc_addon.cli import main

from ..tiny_engine import write_archive, write_wheel


@pytest.fixture
def engines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CGC_ENGINES", str(tmp_path / "engines"))
    return tmp_path / "engines"


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return write_archive(tmp_path / "engine.zip", [write_wheel(tmp_path, "rich", "2.0")])


def told(capsys: pytest.CaptureFixture[str]) -> dict:
    return json.loads(capsys.readouterr().out.splitlines()[-1])


def test_an_engine_comes_is_checked_and_goes(
    engines: Path, archive: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["install-engine", "--from", str(archive), "--json"]) == 0
    result = told(capsys)
    assert result["changed"]
    assert Path(result["interpreter"]).is_file()
    assert Path(result["folder"]).parent == engines
    assert main(["check-engine", "--json"]) == 0
    result = told(capsys)
    assert result["problems"] == []
    assert result["packages"]["rich"] == "2.0"
    assert main(["check-engine"]) == 0
    assert "The engine is well." in capsys.readouterr().out
    assert main(["remove-engine", "--json"]) == 0
    assert told(capsys)["freed"] > 0
    assert not engines.exists()


@pytest.mark.parametrize("verb", ["check-engine", "remove-engine"])
def test_without_an_engine_that_is_said(
    engines: Path, verb: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([verb]) == 1
    assert f"There is no engine in {engines}" in capsys.readouterr().err


def test_an_archive_of_another_build_is_refused(
    engines: Path, archive: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["install-engine", "--from", str(archive), "--build", "cuda"]) == 1
    assert "holds the build cpu, not cuda" in capsys.readouterr().err
    assert not engines.exists()
