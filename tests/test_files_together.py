# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that belong together are all old or all new, whenever the process is killed."""

import sys
from pathlib import Path

import pytest

from cgc_addon.errors import CgcError
from cgc_addon.files import write_text
from cgc_addon.files_together import changing_together, finish_change

from .kills import killed_before

NAMES = ("a.txt", "b.txt", "c.txt")


def write(folder: Path, text: str) -> None:
    with changing_together(folder) as changed:
        for name in NAMES:
            write_text(changed / name, text)


def contents(folder: Path) -> set[str]:
    return {(folder / name).read_text() for name in NAMES}


def test_the_files_take_their_places_and_nothing_else_stays(tmp_path):
    (tmp_path / "other.txt").write_text("mine")
    write(tmp_path, "old")
    write(tmp_path, "new")
    assert contents(tmp_path) == {"new"}
    assert {path.name for path in tmp_path.iterdir()} == {*NAMES, "other.txt"}


def test_a_block_that_fails_changes_nothing(tmp_path):
    write(tmp_path, "old")

    def fail():
        with changing_together(tmp_path) as changed:
            write_text(changed / "a.txt", "new")
            raise CgcError("no")

    with pytest.raises(CgcError, match="no"):
        fail()
    assert contents(tmp_path) == {"old"}
    assert {path.name for path in tmp_path.iterdir()} == set(NAMES)


@pytest.mark.skipif(sys.platform == "win32", reason="forks")
@pytest.mark.parametrize("then", ["read", "write"])
def test_a_kill_between_any_two_changes_leaves_all_old_or_all_new(tmp_path, then):
    found = []
    change = 0
    while True:
        change += 1
        folder = tmp_path / str(change)
        folder.mkdir()
        write(folder, "old")
        killed = killed_before(change, lambda folder=folder: write(folder, "new"))
        finish_change(folder)
        found.append(contents(folder))
        if then == "write":
            write(folder, "newer")
            assert contents(folder) == {"newer"}
        assert not (folder / ".ready").exists()
        if not killed:
            break
    assert all(len(texts) == 1 for texts in found)
    assert found.count({"old"}) >= 4
    assert found.count({"new"}) >= 4  # some of them were killed, too


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(CgcError, match=r"could not be written: .+; check free space"):
        write(tmp_path / "file", "new")
