# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cgc_addon.errors import CgcError
from cgc_addon.training.run_lock import LOCK_FILE, in_use, is_locked, locked

ROOT = Path(__file__).parents[2]
HOLD = """
import sys
from pathlib import Path
from cgc_addon.training.run_lock import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_run_folder_is_held_while_the_block_runs(tmp_path: Path) -> None:
    run = tmp_path / "a" / "run"
    with locked(run):
        assert is_locked(run)
        (run / "config.json").write_text("{}")
    assert not is_locked(run)
    assert [path.name for path in run.iterdir()] == ["config.json"]
    with locked(run):
        pass


def test_a_folder_that_stayed_empty_is_not_left_behind(tmp_path: Path) -> None:
    with pytest.raises(CgcError, match="bad dataset"), locked(tmp_path / "run"):
        raise CgcError("bad dataset")
    assert not (tmp_path / "run").exists()
    (tmp_path / "mine").mkdir()
    with locked(tmp_path / "mine"):
        pass
    assert (tmp_path / "mine").is_dir()


def test_another_process_is_refused_and_told_who_holds_it(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline().strip() == b"held"
        assert is_locked(tmp_path)
        by_whom = f"is being trained by process {holder.pid} on"
        with pytest.raises(CgcError, match=by_whom), locked(tmp_path):
            pytest.fail("two processes hold the folder")
        holder.kill()  # what a dead process leaves is no lock
        holder.wait()
        assert (tmp_path / LOCK_FILE).exists()
        assert not is_locked(tmp_path)
        with locked(tmp_path):
            assert str(os.getpid()) in (tmp_path / LOCK_FILE).read_text()


def test_a_run_folder_deleted_meanwhile_is_no_trouble(tmp_path: Path) -> None:
    run = tmp_path / "run"
    with locked(run):
        (run / LOCK_FILE).unlink()
        run.rmdir()
    assert not run.exists()


@pytest.mark.skipif(
    os.name == "nt" or os.geteuid() == 0, reason="needs a folder that cannot be written"
)
def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(CgcError, match="could not be written"), locked(tmp_path / "run"):
        pass


def test_a_file_in_its_place_is_said(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("")
    with pytest.raises(CgcError, match="could not be written"), locked(tmp_path / "run"):
        pass


def test_whoever_finds_it_held_learns_what_for(tmp_path: Path) -> None:
    with locked(tmp_path, "cut"):
        assert in_use(tmp_path).startswith(f"{tmp_path} is being cut by process {os.getpid()} on")


def test_whoever_holds_it_next_tidies_up_after_a_kill(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    (tmp_path / f".splat.ply.{process.pid}.tmp").write_text("half")
    with locked(tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []
