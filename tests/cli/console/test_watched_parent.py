# SPDX-License-Identifier: GPL-3.0-or-later
"""A training whose Blender is killed saves and ends."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cgc_addon.cli.console.watched_parent import STDIN_IS_WATCHED
from cgc_addon.training.run_folder import RunFolder

ROOT = Path(__file__).parents[3]


def start(tiny_dataset: Path, run: Path, *, watched: bool) -> subprocess.Popen[bytes]:
    verb = [sys.executable, "-m", "cgc_addon", "train", str(tiny_dataset), "-o", str(run)]
    verb += ["--preset", "draft", "--steps", "100000"]
    environment = {**os.environ, **({STDIN_IS_WATCHED: "1"} if watched else {})}
    return subprocess.Popen(verb, stdin=subprocess.PIPE, cwd=ROOT, env=environment)


def wait_for_steps(run: RunFolder, process: subprocess.Popen[bytes]) -> None:
    while not (run.metrics.is_file() and run.metrics.stat().st_size > 0):
        assert process.poll() is None
        time.sleep(0.1)


@pytest.mark.slow
def test_it_saves_and_ends_with_what_runs_it(tiny_dataset: Path, tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    with start(tiny_dataset, run.path, watched=True) as process:
        wait_for_steps(run, process)
        assert process.stdin is not None
        process.stdin.close()  # as the system does when Blender is killed
        assert process.wait(timeout=15) == 130
    assert run.checkpoint.is_file()


@pytest.mark.slow
def test_in_a_terminal_input_may_end(tiny_dataset: Path, tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    with start(tiny_dataset, run.path, watched=False) as process:
        wait_for_steps(run, process)
        assert process.stdin is not None
        process.stdin.close()  # as `< /dev/null` does
        time.sleep(1.0)
        assert process.poll() is None
        process.kill()
