# SPDX-License-Identifier: GPL-3.0-or-later
"""The worker process itself: what it answers, and that its pipe stays clean."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from cgc_addon.splats.ply import read_ply
from cgc_addon.worker.client import check
from cgc_addon.worker.environment import worker_environment
from cgc_addon.worker.process import Process

from .conftest import ROOT, until

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the made-up Pythons are shell scripts")


@pytest.fixture
def process():
    child = Process(
        [sys.executable, "-m", "cgc_addon.worker"], worker_environment(os.environ, ROOT)
    )
    assert next_messages(child)[0]["type"] == "hello"
    yield child
    child.kill()


def next_messages(child: Process, seconds: float = 30.0) -> list[dict]:
    end = time.monotonic() + seconds
    while not (messages := child.messages()) and time.monotonic() < end:
        time.sleep(0.01)
    return messages


def ended(pid: int) -> bool:
    """Whether a process is gone, or only waits for whoever collects the dead."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"garbage\n", "no request: 'garbage'"),
        (b"\xff\xfe\x00\n", "no request"),
        (b"[1, 2]\n", "no request"),
        (b'{"type": 5}\n', "no request"),
        (b"[" * 100_000 + b"\n", "no request"),
        (b'{"type": "fly"}\n', "no request called 'fly'"),
        (b'{"type": "run"}\n', "needs an id"),
        (b'{"type": "run", "id": "1", "arguments": "probe"}\n', "needs an id"),
    ],
)
def test_nonsense_is_answered_with_an_error_and_the_worker_lives(process, line, reason):
    os.write(process._child.stdin.fileno(), line)
    (error,) = next_messages(process)
    assert error["type"] == "error"
    assert reason in error["text"]
    process.send({"type": "stop"})  # of no job: nothing happens
    process.send({"type": "pause"})
    process.send({"type": "run", "id": "x", "arguments": ["fly"]})
    (error,) = next_messages(process)
    assert error["id"] == "x"
    assert "cannot be run" in error["text"]
    assert "invalid choice: 'fly'" in error["text"]


def test_a_second_run_is_refused_and_the_first_goes_on(start, with_verb):
    worker = start(
        with_verb("""
        sink.say("running")
        while not should_stop():
            time.sleep(0.01)
        sink.result({}, "")
    """)
    )
    first = worker.run(["probe"])
    until(worker, "note")
    worker._process.send({"type": "run", "id": "second", "arguments": ["probe"]})
    error = until(worker, "error")[-1]
    assert error["id"] == "second"
    assert "one at a time" in error["text"]
    worker.stop()
    assert until(worker, "result")[-1]["id"] == first


def test_what_is_printed_does_not_reach_the_pipe(start, with_verb):
    worker = start(
        with_verb("""
        print("from print")
        sys.__stdout__.write("from the first stdout\\n"); sys.__stdout__.flush()
        os.write(1, b"from os.write\\n")
        ctypes.CDLL(None).puts(b"from C"); ctypes.CDLL(None).fflush(None)
        os.system("echo from a child; cat")
        assert sys.stdin.read() == ""
        sink.result({"done": True}, "")
    """)
    )
    worker.run(["probe"])
    messages = until(worker, "result")
    assert [message["type"] for message in messages] == ["hello", "result"]
    worker.close(wait=10)
    printed = worker._process.last_lines()
    assert printed == [
        "from print", "from the first stdout", "from os.write", "from C", "from a child",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("body", "text", "has_traceback"),
    [
        ("raise CgcError('The file is damaged.')", "The file is damaged.", False),
        ("raise ValueError('two\\nlines')", "The engine failed (ValueError: two); please", True),
        ("raise SystemExit(5)", "The engine failed (SystemExit: 5)", True),
        ("raise MemoryError", "smaller photos (--max-size) or fewer Gaussians", False),
        ("raise RuntimeError('DefaultCPUAllocator: not enough memory')", "Memory ran out", False),
        ("raise OSError(28, 'No space left', 'x.ply')", "free some space", False),
        ("import nothing_like_it", "lacks the package 'nothing_like_it'", False),
        ("sink.result({'bad': object()}, '')", "The engine failed (TypeError", True),
    ],
)
def test_a_job_that_fails_tells_why_and_the_next_one_runs(
    start, with_verb, body, text, has_traceback
):
    worker = start(with_verb(body))
    for _attempt in range(2):
        worker.run(["probe"])
        error = until(worker, "error")[-1]
        assert text in error["text"]
        assert ("traceback" in error) == has_traceback
        assert worker.alive


def test_the_worker_ends_with_its_parent(with_verb):
    interpreter = with_verb("""
        for number in track(iter(int, 1), "Counting", sink.report, should_stop):
            time.sleep(0.01)
    """)
    parent = subprocess.Popen(
        [sys.executable, "-c", f"""if True:
            import sys, time
            sys.path.insert(0, {str(ROOT)!r})
            from pathlib import Path
            from cgc_addon.worker.client import Worker
            worker = Worker(Path({str(interpreter)!r}), Path({str(ROOT)!r}))
            worker.start()
            worker.run(["probe"])
            while not any(one["type"] == "progress" for one in worker.wait(30)):
                pass
            print(worker.process_id, flush=True)
            time.sleep(60)
        """],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    child = int(parent.stdout.readline())
    assert not ended(child)
    parent.kill()
    parent.wait()
    began = time.monotonic()
    while not ended(child):
        assert time.monotonic() - began < 5
        time.sleep(0.05)


def test_the_worker_ends_with_its_parent_though_its_stdin_stays_open():
    kept_open, stdin = os.pipe()
    parent = subprocess.Popen(
        [sys.executable, "-c", f"""if True:
            import os, subprocess, sys, time
            child = subprocess.Popen(
                [sys.executable, "-m", "cgc_addon.worker"],
                stdin={kept_open}, stdout=subprocess.PIPE, cwd={str(ROOT)!r},
            )
            child.stdout.readline()
            print(child.pid, flush=True)
            time.sleep(60)
        """],
        stdout=subprocess.PIPE, text=True, pass_fds=[kept_open],
    )  # fmt: skip
    try:
        child = int(parent.stdout.readline())
        parent.kill()
        parent.wait()
        began = time.monotonic()
        while not ended(child):
            assert time.monotonic() - began < 5
            time.sleep(0.05)
    finally:
        os.close(stdin)
        os.close(kept_open)


def test_a_stopped_training_goes_on_to_the_same_end(start, tiny_dataset, tmp_path):
    worker = start()

    def train(run: Path, *more: str) -> None:
        worker.run([
            "train", tiny_dataset, "-o", run, "--preset", "paper", "--steps", "150",
            "--backend", "cpu", *more,
        ])  # fmt: skip

    whole, stopped = tmp_path / "whole", tmp_path / "gestört – 停止"
    train(whole)
    messages = until(worker, "result")
    assert messages[-1]["gaussians"] > 0
    train(stopped, "--preview", "0.05")
    while not any(one.get("stage") == "Training" and one["done"] > 20 for one in worker.wait(30)):
        pass
    worker.stop()
    until(worker, "interrupted")
    assert (stopped / "checkpoint.safetensors").exists()
    train(stopped, "--preview", "0.05", "--resume")
    messages = until(worker, "result")
    previews = {message["file"] for message in messages if message["type"] == "preview"}
    assert previews == {str(stopped / "preview.npy")}
    first, second = (read_ply(run / "splat.ply").gaussians for run in (whole, stopped))
    assert np.array_equal(first.means, second.means)
    assert np.array_equal(first.sh, second.sh)
    assert np.array_equal(first.features, second.features)
    assert np.array_equal(first.segments, second.segments)
    assert not list(stopped.glob(".*"))


def test_a_full_disk_is_told_in_a_sentence(start, program, tiny_dataset, tmp_path):
    # A limit on the size of files stands in for a disk that is full.
    worker = start(program(f'ulimit -f 40; exec "{sys.executable}" -B "$@"\n'))
    run = tmp_path / "run"
    worker.run([
        "train", tiny_dataset, "-o", run, "--preset", "paper", "--steps", "30",
        "--backend", "cpu", "--preview", "0.1",
    ])  # fmt: skip
    error = until(worker, "error")[-1]
    assert "could not be written" in error["text"]
    assert str(run) in error["text"]
    assert "traceback" not in error
    assert [path.name for path in run.iterdir() if path.name.endswith(".tmp")] == []


def test_the_package_works_from_any_folder(tmp_path):
    parent = tmp_path / "Erweiterungen – 拡張 1"
    shutil.copytree(
        ROOT / "cgc_addon",
        parent / "cgc_addon",
        ignore=shutil.ignore_patterns("__pycache__", "sample", "blender"),
    )
    told = check(Path(sys.executable), parent)
    assert told["missing"] == []


def test_the_window_comes_before_the_worker(process):
    given = os.getpriority(os.PRIO_PROCESS, process.pid) - os.getpriority(os.PRIO_PROCESS, 0)
    assert given > 0
    assert os.getsid(process.pid) == os.getsid(0)  # priorities count within a session


def test_ctrl_c_in_blenders_terminal_is_not_for_the_worker(process):
    assert os.getpgid(process.pid) == process.pid
