# SPDX-License-Identifier: GPL-3.0-or-later
"""What kills leave half-written does not stay for good."""

import os
import subprocess
import sys

import pytest

from cgc_addon.files import replacing
from cgc_addon.leftovers import remove_leftovers, remove_leftovers_of


def dead_process() -> int:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return process.pid


def test_only_what_dead_processes_have_left_goes(tmp_path):
    dead, living = dead_process(), os.getpid()
    kept = [
        *("splat.ply", ".hidden", ".notes.tmp", f"splat.ply.{dead}.tmp"),
        *(f".splat.ply.{living}.tmp", f".splat.ply.{os.getppid()}.tmp"),
    ]
    for name in (*kept, f".splat.ply.{dead}.tmp"):
        (tmp_path / name).write_text("x")
    (tmp_path / f".ready.{dead}.tmp").mkdir()
    (tmp_path / f".ready.{dead}.tmp" / "splat.ply").write_text("x")
    remove_leftovers(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == set(kept)


def test_of_one_file_only_what_was_to_be_that_file_goes(tmp_path):
    dead, path = dead_process(), tmp_path / "splat.ply"
    kept = [f".splat.ply.{os.getpid()}.tmp", f".splat.ply.zip.{dead}.tmp", f".a.{dead}.tmp"]
    for name in (*kept, f".splat.ply.{dead}.tmp"):
        (tmp_path / name).write_text("x")
    remove_leftovers_of(path)
    assert {path.name for path in tmp_path.iterdir()} == set(kept)
    remove_leftovers_of(tmp_path / "none" / "splat.ply")


def test_a_folder_that_is_not_there_is_no_error(tmp_path):
    remove_leftovers(tmp_path / "none")
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("letter", ["n", "ä", "写"])
def test_names_as_long_as_a_disk_takes_are_written_and_cleared(tmp_path, letter):
    """A photo may be called so, and what is made of it is called like the photo."""
    longest = letter * (251 // len(letter.encode()))
    paths = [tmp_path / f"{longest[:-1]}{number}.png" for number in range(2)]
    for path in paths:
        with replacing(path) as temporary:
            temporary.write_text(path.name)
        with pytest.raises(RuntimeError), replacing(path) as temporary:
            temporary.write_text("half")
            left = temporary.with_name(
                temporary.name.replace(str(os.getpid()), str(dead_process()))
            )
            left.write_text("half")
            raise RuntimeError
    assert sum(path.suffix == ".tmp" for path in tmp_path.iterdir()) == 2
    for path in paths:
        assert path.read_text() == path.name
        remove_leftovers_of(path)
    assert sorted(tmp_path.iterdir()) == sorted(paths)
