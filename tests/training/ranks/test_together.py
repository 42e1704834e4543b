# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb `train` as two processes: one writes and speaks, and they end together."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from cgc_addon.ranks import ALONE
from cgc_addon.splats.ply import read_ply
from cgc_addon.training.ranks.together import together

from .starting import ROOT, SECONDS, ends_of, environment_of, free_port, start

ENDED = "Another process of this training has ended, so that all end; "


def verb(dataset: Path, run: Path, *more: str) -> list[str]:
    return [
        *("-m", "cgc_addon", "train", str(dataset), "-o", str(run)),
        *("--preset", "draft", "--backend", "cpu", "--json", *more),
    ]


def until_training(process: subprocess.Popen[str], done: int = 40) -> None:
    """Read messages until so many steps are done."""
    assert process.stdout is not None
    for line in process.stdout:
        message = json.loads(line)
        if message.get("stage") == "Training" and message["done"] >= done:
            return
    _, errors = process.communicate()
    raise AssertionError(f"it ended before it trained: {errors}")


def saved_step(run: Path) -> int:
    return json.loads((run / "checkpoint.json").read_text())["step"]


def told(output: str) -> list[dict[str, object]]:
    messages = [json.loads(line) for line in output.splitlines()]
    return [message for message in messages if message["type"] != "progress"]


@pytest.fixture(scope="module")
def runs(tiny_dataset, tmp_path_factory):
    """A whole run of two processes, and one of a single process with the same photos a step."""
    folder = tmp_path_factory.mktemp("runs")
    more = ("--preset", "standard", "--steps", "100", "--test-every", "6")
    more = (*more, "--max-gaussians", "3000")
    two = ends_of(start(verb(tiny_dataset, folder / "two", *more)))
    single = [sys.executable, *verb(tiny_dataset, folder / "one", *more, "--batch", "2")]
    environment = {**os.environ, "NUMBA_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    subprocess.run(
        single, check=True, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, timeout=SECONDS
    )
    assert [code for code, _, _ in two] == [0, 0], two
    return folder, two


@pytest.mark.slow
def test_one_process_speaks_and_writes(runs) -> None:
    folder, ((_, output, errors), (_, follower_output, follower_errors)) = runs
    assert errors == follower_output == follower_errors == ""
    messages = told(output)
    notes = [message.get("text") for message in messages]
    assert "2 processes train together, on 2 photos a step." in notes
    assert messages[-1]["type"] == "result"
    assert messages[-1]["segments"] == 4
    # As many lines as one process writes, and each once.
    lines = (folder / "two" / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in lines] == list(range(0, 100, 10))
    assert sorted(path.name for path in (folder / "two").iterdir()) == sorted(
        path.name for path in (folder / "one").iterdir()
    )
    assert json.loads((folder / "two" / "config.json").read_text())["batch"] == 2


@pytest.mark.slow
def test_two_processes_train_what_one_does_with_the_same_photos_a_step(runs) -> None:
    folder, _ = runs
    two, one = (
        [json.loads(line) for line in (folder / name / "metrics.jsonl").read_text().splitlines()]
        for name in ("two", "one")
    )
    # Sums in another order differ in the last bits, and densification makes more of it.
    assert [each["loss"] for each in two[:2]] == pytest.approx(
        [each["loss"] for each in one[:2]], rel=1e-4
    )
    assert two[-1]["psnr"] == pytest.approx(one[-1]["psnr"], abs=0.5)
    assert two[-1]["count"] == pytest.approx(one[-1]["count"], rel=0.05)
    splats = [read_ply(folder / name / "splat.ply").gaussians for name in ("two", "one")]
    assert {int(np.max(each.segments)) for each in splats} == {4}


@pytest.mark.slow
@pytest.mark.parametrize("rank", [0, 1])
def test_where_one_is_killed_the_other_ends_and_says_so(tiny_dataset, tmp_path, rank) -> None:
    run = tmp_path / "run"
    processes = start(verb(tiny_dataset, run, "--steps", "4000", "--checkpoint-every", "0"))
    until_training(processes[0])
    processes[rank].send_signal(signal.SIGKILL)
    ends = ends_of(processes)
    code, _, errors = ends[1 - rank]
    assert code == 1
    assert errors.startswith(f"cgc: {ENDED}")
    assert errors.count("\n") == 1
    assert ends[rank][2] == ""

    # One process goes on where two were; a signal ends it as usual.
    before = saved_step(run)
    assert before >= 40
    [single] = start(verb(tiny_dataset, run, "--resume"), size=1)
    until_training(single, before + 20)
    single.send_signal(signal.SIGINT)
    assert ends_of([single])[0][0] == 130
    assert saved_step(run) > before


@pytest.mark.slow
def test_two_go_on_where_one_was_and_one_signal_ends_both(tiny_dataset, tmp_path) -> None:
    run = tmp_path / "run"
    [single] = start(verb(tiny_dataset, run, "--steps", "4000"), size=1)
    until_training(single)
    single.send_signal(signal.SIGINT)
    assert ends_of([single])[0][0] == 130
    before = saved_step(run)

    processes = start(verb(tiny_dataset, run, "--resume"))
    until_training(processes[0], before + 20)
    processes[1].send_signal(signal.SIGINT)  # to the one that writes nothing
    (code, output, errors), follower = ends_of(processes)
    assert (code, errors) == (130, "")
    assert told(output)[-1] == {"type": "interrupted"}
    assert follower == (130, "", "")
    assert saved_step(run) > before
    assert f"Going on from step {before}." in (run / "log.txt").read_text()


def torchrun(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2"),
            *("--master-port", str(free_port()), *arguments),
        ],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_both_end_with_torchrun_and_have_saved(tiny_dataset, tmp_path, number) -> None:
    run = tmp_path / "run"
    process = torchrun(*verb(tiny_dataset, run, "--steps", "4000"))
    until_training(process)
    process.send_signal(number)
    _, output, errors = ends_of([process])[0]  # the pipes end when all of its processes have
    assert told(output)[-1] == {"type": "interrupted"}
    assert "cgc: " not in errors
    assert saved_step(run) > 40


@pytest.mark.slow
def test_what_the_first_one_finds_wrong_is_said_once(tiny_dataset, tmp_path) -> None:
    (tmp_path / "config.json").write_text("{}")
    ends = ends_of(start(verb(tiny_dataset, tmp_path)))
    assert [code for code, _, _ in ends] == [1, 1]
    assert ends[0][2].startswith(f"cgc: {tmp_path} already holds a run; use --resume")
    assert ends[1][1:] == ("", "")


def test_a_process_that_does_not_know_the_others_says_what_is_missing(tiny_dataset, tmp_path):
    environment = environment_of(0, 2, free_port())
    del environment["MASTER_ADDR"]
    run = tmp_path / "run"
    command = [sys.executable, *verb(tiny_dataset, run)]
    ended = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 1
    assert ended.stderr == (
        "cgc: WORLD_SIZE says that 2 processes train together, but MASTER_ADDR is not set; "
        "start with torchrun, which sets it, or set it as docs/cluster.md says.\n"
    )
    assert not run.exists()


def test_one_process_is_alone_and_loads_nothing_for_others() -> None:
    program = (
        "import sys; from cgc_addon.training.ranks.together import together\n"
        "with together({'WORLD_SIZE': '1'}) as ranks:\n"
        "    import cgc_addon.training.pipeline\n"
        "    print(ranks, 'cgc_addon.training.ranks.processes' in sys.modules,"
        " sys.modules['torch'].distributed.is_initialized())\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert found.stdout == f"{ALONE} False False\n"
    with together({}) as ranks:
        assert ranks is ALONE
