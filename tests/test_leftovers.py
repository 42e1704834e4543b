# SPDX-License-Identifier: GPL-3.0-or-later
"""What kills leave half-written does not stay for good."""

import os
import subprocess
import sys

from cgc_addon.leftovers import remove_leftovers


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


def test_a_folder_that_is_not_there_is_no_error(tmp_path):
    remove_leftovers(tmp_path / "none")
    assert not (tmp_path / "none").exists()
