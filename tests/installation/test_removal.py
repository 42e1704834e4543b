# SPDX-License-Identifier: GPL-3.0-or-later
"""An engine goes whole, with nothing of others; what is held goes later."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cgc_addon.installation import removal
from cgc_addon.installation.places import EngineHome
from cgc_addon.installation.removal import (
    clear_unfinished,
    delete_folder,
    finish_removals,
    remove_engine,
)


@pytest.fixture
def home(tmp_path: Path) -> EngineHome:
    found = EngineHome(tmp_path / "engines" / "py3.11-cpu")
    (found.folder / "python-1" / "lib").mkdir(parents=True)
    (found.folder / "python-1" / "lib" / "code.py").write_text("1234567890")
    found.downloads.mkdir()
    (found.downloads / "some.whl").write_text("12345")
    found.stamp.write_text("{}")
    return found


def test_nothing_stays_behind(home: EngineHome) -> None:
    found = remove_engine(home)
    assert (found.freed, found.held) == (17, "")
    assert not home.folder.parent.exists()


def test_other_engines_and_files_of_the_user_stay(home: EngineHome) -> None:
    other = home.folder.parent / "py3.13-cpu"
    other.mkdir()
    (home.folder / "notes.txt").write_text("mine")
    remove_engine(home)
    assert [path.name for path in home.folder.iterdir()] == ["notes.txt"]
    assert other.is_dir()


def test_what_is_held_goes_at_the_next_start(
    home: EngineHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = str(home.folder / "python-1" / "lib" / "code.py")
    with monkeypatch.context() as patched:
        patched.setattr(removal, "delete_folder", lambda folder: held if "1" in folder.name else "")
        found = remove_engine(home)
    assert found.held == held
    assert "goes when Blender starts the next time" in found.sentence(home)
    assert not home.stamp.exists()  # there is no engine any more
    finish_removals(home.folder.parent)
    assert not home.folder.parent.exists()


def test_a_removal_is_not_taken_up_once_there_is_an_engine_again(home: EngineHome) -> None:
    finish_removals(home.folder.parent)
    assert home.folder.is_dir()  # nobody asked for it
    home.removal_mark.write_text("")
    clear_unfinished(home)
    finish_removals(home.folder.parent)
    assert home.folder.is_dir()


@pytest.mark.skipif(os.name == "nt", reason="a folder that is no folder is POSIX")
def test_links_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").write_text("kept")
    (tmp_path / "gone").mkdir()
    (tmp_path / "gone" / "link").symlink_to(tmp_path / "mine")
    assert delete_folder(tmp_path / "gone") == ""
    assert (tmp_path / "mine" / "file").read_text() == "kept"
