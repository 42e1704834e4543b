# SPDX-License-Identifier: GPL-3.0-or-later
import json
from pathlib import Path

import numpy as np
import pytest

from cgc_addon.cli.console import json_lines
from cgc_addon.cli.console.json_lines import JsonLines
from cgc_addon.progress import Progress


@pytest.fixture
def clock(monkeypatch):
    now = [50.0]
    monkeypatch.setattr(json_lines.time, "monotonic", lambda: now[0])
    return now


def test_progress_comes_ten_times_a_second_and_at_the_ends_of_stages(clock):
    sent = []
    sink = JsonLines(sent.append)
    for done in range(101):
        sink.report(Progress("Training", done, 100))
        clock[0] += 0.02
    sink.report(Progress("Looking", 0, 0))
    steps = [message["done"] for message in sent if message["stage"] == "Training"]
    assert steps[0] == 0
    assert steps[-1] == 100
    assert 18 <= len(steps) <= 22
    assert sent[-1] == {"type": "progress", "stage": "Looking", "done": 0, "total": 0}


def test_numbers_are_what_json_knows():
    sent = []
    numbers = {"loss": np.float32(0.5), "psnr": float("nan"), "gaussians": 7}
    JsonLines(sent.append).report(Progress("Training", 1, 2, numbers))
    assert json.loads(json.dumps(sent[0], allow_nan=False)) == {
        "type": "progress", "stage": "Training", "done": 1, "total": 2, "loss": 0.5, "gaussians": 7,
    }  # fmt: skip


def test_every_kind_of_message(capsys):
    sent = []
    sink = JsonLines(sent.append)
    sink.say("Two cameras.")
    sink.preview(Path("/run/preview.npy"))
    sink.result({"views": 3}, "three views")
    sink.fail("No.")
    sink.interrupted(saved=True)
    assert sent == [
        {"type": "note", "text": "Two cameras."},
        {"type": "preview", "file": str(Path("/run/preview.npy").absolute())},
        {"type": "result", "views": 3},
        {"type": "error", "text": "No."},
        {"type": "interrupted"},
    ]
    assert capsys.readouterr().err == "cgc: No.\n"
