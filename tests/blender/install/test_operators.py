# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine comes, is looked after and goes by the operators, in a real process of its own."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

bpy = pytest.importorskip("bpy")

from cgc_addon.blender.common import preferences
from cgc_addon.blender.install import facts
from cgc_addon.blender.jobs import registry as jobs
from cgc_addon.blender.panels.engine import CGC_PT_engine
from cgc_addon.blender.panels.engine_box import draw_engine_box
from cgc_addon.installation.engine import site_packages
from cgc_addon.installation.lock import this_python
from cgc_addon.installation.places import engine_home

from ..recorded_layout import RecordedLayout, drawn


def box_text() -> str:
    layout = RecordedLayout()
    draw_engine_box(layout, bpy.context)  # pyright: ignore
    return " ".join(layout.record.texts)


def test_it_comes_from_an_archive_is_checked_repaired_and_goes(
    engines: Path, archive: Path, locks: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "not installed yet" in drawn(CGC_PT_engine).text.replace("  ", " ") or facts.look()
    assert facts.look().missing
    assert bpy.ops.cgc.install_engine(archive=str(archive)) == {"FINISHED"}
    assert "Install Engine: Trying rich" in capsys.readouterr().out
    engine = facts.look().engine
    assert engine is not None
    chosen = preferences.chosen_interpreter()
    assert (chosen.path, chosen.own) == (engine.interpreter, False)
    assert engine.home.folder.parent == engines
    assert drawn(CGC_PT_engine).text == ""
    assert "safetensors" not in sys.modules

    assert bpy.ops.cgc.check_engine() == {"FINISHED"}
    assert "All 3 packages are whole and load" in box_text()
    (site_packages(engine.environment, engine.python) / "rich" / "data.txt").unlink()
    with pytest.raises(RuntimeError, match=r"rich has lost its file rich/data.txt. Press Repair"):
        bpy.ops.cgc.check_engine()
    assert "has lost its file" in box_text()

    assert bpy.ops.cgc.install_engine(archive=str(archive)) == {"FINISHED"}
    assert bpy.ops.cgc.check_engine() == {"FINISHED"}
    assert bpy.ops.cgc.remove_engine() == {"FINISHED"}
    assert not engines.exists()
    assert facts.look().missing


def test_blender_is_not_to_go_online_unless_it_may(engines: Path, locks: Path) -> None:
    assert not bpy.app.online_access
    with pytest.raises(RuntimeError, match="Blender may not go online"):
        bpy.ops.cgc.install_engine()
    problem = jobs.problem()
    assert problem is not None
    assert not engines.exists()


def test_what_is_no_archive_is_said(engines: Path, locks: Path, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="is not a file; choose an engine archive"):
        bpy.ops.cgc.install_engine(archive=str(tmp_path / "nothing.zip"))
    wrong = tmp_path / "wrong.zip"
    wrong.write_text("no zip")
    with pytest.raises(RuntimeError, match="is no engine archive"):
        bpy.ops.cgc.install_engine(archive=str(wrong))
    assert not engines.exists()


@pytest.mark.parametrize(
    "name", ["check_engine", "repair_engine", "update_engine", "remove_engine"]
)
def test_without_an_engine_there_is_nothing_to_look_after(
    engines: Path, locks: Path, name: str
) -> None:
    with pytest.raises(RuntimeError, match="There is no engine; press Install Engine"):
        getattr(bpy.ops.cgc, name)()


def test_what_a_stopped_installation_left_can_be_removed(engines: Path, locks: Path) -> None:
    home = engine_home(engines, this_python(), "cpu")
    home.downloads.mkdir(parents=True)
    (home.downloads / "some.whl").write_text("some")
    assert facts.look().unfinished
    assert "kept for the next try" in box_text()
    assert bpy.ops.cgc.remove_engine() == {"FINISHED"}
    assert not engines.exists()


def test_workers_end_before_files_change(
    engines: Path, archive: Path, locks: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[str] = []
    monkeypatch.setattr(jobs, "close_workers", lambda: ended.append("all"))
    bpy.ops.cgc.install_engine(archive=str(archive))
    bpy.ops.cgc.remove_engine()
    assert ended == ["all", "all"]
