# SPDX-License-Identifier: GPL-3.0-or-later
"""A signal at each stage of the verbs: exit code 130, nothing half, and the same call goes on."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from cgc_addon import cli
from cgc_addon.cli import main
from cgc_addon.splats.ply import read_ply

ROOT = Path(__file__).resolve().parents[2]

if sys.platform == "win32":
    pytest.skip("Windows ends a process without asking", allow_module_level=True)

STAGES = (
    "Placing the background",
    "Training",
    "Looking at the masks",
    "Learning features",
    "Comparing groups",
    "Sharpening edges",
)


def train(dataset: Path, run: Path, *more: str) -> list[str]:
    return [
        *("train", str(dataset), "-o", str(run), "--preset", "standard", "--steps", "60"),
        *("--backend", "cpu", "--json", *more),
    ]


@pytest.fixture(scope="module")
def whole(tiny_dataset, tmp_path_factory):
    """An undisturbed run, and the stages that it went through."""
    run = tmp_path_factory.mktemp("whole") / "run"
    assert main(train(tiny_dataset, run)) == 0
    return run


@pytest.fixture
def at_stage(monkeypatch):
    """Return a function that lets a signal come when a stage is first reported."""

    def arrange(stage: str, number: int = signal.SIGTERM) -> list[dict]:
        messages: list[dict] = []

        def take(message: dict) -> None:
            messages.append(message)
            if message.get("stage") == stage and number not in came:
                came.append(number)
                os.kill(os.getpid(), number)

        came: list[int] = []
        monkeypatch.setattr(cli, "print_line", take)
        return messages

    return arrange


@pytest.mark.parametrize("stage", STAGES)
def test_training_stops_at_each_stage_and_goes_on_to_the_same_end(
    at_stage, whole, tiny_dataset, tmp_path, stage
):
    messages = at_stage(stage)
    assert main(train(tiny_dataset, tmp_path / "run")) == 130
    assert messages[-1]["type"] == "interrupted"
    assert main(train(tiny_dataset, tmp_path / "run", "--resume")) == 0
    for name in ("splat.ply", "segments.json"):
        assert (tmp_path / "run" / name).read_bytes() == (whole / name).read_bytes()
    assert not list((tmp_path / "run").glob(".*"))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_fresh_process_saves_what_it_trained(tiny_dataset, tmp_path, number):
    """What libraries do to handlers when they are imported shows only in a fresh one."""
    run = tmp_path / "run"
    command = train(tiny_dataset, run)
    command[command.index("--steps") + 1] = "100000"
    with subprocess.Popen(
        [sys.executable, "-m", "cgc_addon", *command],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        for line in process.stdout:
            if json.loads(line).get("stage") == "Training":
                process.send_signal(number)
                break
        try:
            rest, errors = process.communicate(timeout=120)
        finally:
            process.kill()
    assert process.returncode == 130, errors
    assert json.loads(rest.splitlines()[-1]) == {"type": "interrupted"}
    assert "stack trace" not in errors
    assert json.loads((run / "checkpoint.json").read_text())["step"] > 0


def test_rendering_keeps_the_views_that_are_drawn(at_stage, whole, tiny_dataset, tmp_path):
    at_stage("Rendering")
    assert main(["render", str(whole), "-o", str(tmp_path), "--backend", "cpu", "--json"]) == 130
    assert all(path.stat().st_size for path in tmp_path.rglob("*.png"))


@pytest.mark.parametrize("verb", ["segment", "export"])
def test_a_short_verb_writes_all_or_nothing(monkeypatch, whole, tmp_path, verb):
    run = tmp_path / "run"
    shutil.copytree(whole, run)
    output = tmp_path / "out.ply"
    before = (run / "splat.ply").read_bytes()
    monkeypatch.setattr(  # as soon as the verb reads the run's splat
        f"cgc_addon.{'training.recutting' if verb == 'segment' else 'results.sources'}.read_ply",
        lambda path: (os.kill(os.getpid(), signal.SIGTERM), read_ply(path))[1],
    )
    more = ["--granularity", "0"] if verb == "segment" else ["-o", str(output)]
    assert main([verb, str(run), *more]) == 130
    assert (run / "splat.ply").read_bytes() == before
    assert not output.exists()


def test_importing_masks_stops_between_photos(at_stage, tiny_dataset, tmp_path):
    dataset = tmp_path / "dataset"
    shutil.copytree(tiny_dataset, dataset, ignore=shutil.ignore_patterns("masks"))
    messages = at_stage("Importing masks")
    command = ["masks", str(dataset), "--import", str(tiny_dataset / "masks"), "--json"]
    assert main(command) == 130
    assert messages[-1]["type"] == "interrupted"
    assert main(command) == 0
    assert len(list((dataset / "masks").glob("*.png"))) == 12


@pytest.mark.parametrize("stage", ["Preparing photos", "Finding features"])
def test_solving_stops_before_there_are_cameras(at_stage, tmp_path, stage):
    photos = Path(cli.__file__).parents[1] / "sample" / "images"
    messages = at_stage(stage)
    assert main(["solve", str(photos), "-o", str(tmp_path / "dataset"), "--json"]) == 130
    assert messages[-1]["type"] == "interrupted"
    assert not (tmp_path / "dataset" / "sparse").exists()


def test_the_whole_run_has_what_was_promised(whole):
    splat = read_ply(whole / "splat.ply").gaussians
    assert splat.segments is not None
    assert np.isfinite(splat.means).all()
