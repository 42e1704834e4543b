# SPDX-License-Identifier: GPL-3.0-or-later
"""A run that is killed at random moments ends where an undisturbed one does."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from cgc_addon.splats.ply import read_ply

KILLS = int(os.environ.get("CGC_KILLS", "3"))
ROOT = Path(__file__).resolve().parents[2]


def command(dataset: Path, run: Path, *more: str) -> list[str]:
    return [
        sys.executable, "-m", "cgc_addon", "train", str(dataset), "-o", str(run),
        "--preset", "draft", "--steps", "400", "--checkpoint-every", "0.3", *more,
    ]  # fmt: skip


@pytest.mark.slow
def test_killed_runs_resume_and_end_the_same(tiny_dataset, tmp_path):
    began = time.monotonic()
    subprocess.run(command(tiny_dataset, tmp_path / "whole"), check=True, cwd=ROOT)
    seconds = time.monotonic() - began
    whole = read_ply(tmp_path / "whole" / "splat.ply").gaussians

    killed = tmp_path / "killed"
    moments = random.Random(1)
    deaths = 0
    for _attempt in range(KILLS):
        process = subprocess.Popen(command(tiny_dataset, killed, "--resume"), cwd=ROOT)
        try:
            process.wait(moments.uniform(0.1, 0.9) * seconds)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            deaths += 1
    subprocess.run(command(tiny_dataset, killed, "--resume"), check=True, cwd=ROOT)
    assert deaths > 0
    resumed = read_ply(killed / "splat.ply").gaussians
    assert np.array_equal(resumed.means, whole.means)
    assert np.array_equal(resumed.sh, whole.sh)
    assert np.array_equal(resumed.segments, whole.segments)
    assert not list(killed.glob("*.tmp"))
