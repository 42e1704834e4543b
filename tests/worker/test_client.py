# SPDX-License-Identifier: GPL-3.0-or-later
"""The client on real processes: starting, failing to start, stopping, dying."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from cgc_addon.errors import CgcError
from cgc_addon.worker import client
from cgc_addon.worker.client import Worker, check
from cgc_addon.worker.lines import PROTOCOL

from .conftest import ROOT, until

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the made-up Pythons are shell scripts")

COUNT_FOREVER = """
    for number in track(iter(int, 1), "Counting", sink.report, should_stop):
        time.sleep(0.01)
"""


def test_the_first_message_greets(start):
    worker = start()
    (hello,) = until(worker, "hello")
    assert hello["protocol"] == PROTOCOL
    assert hello["pid"] == worker.process_id
    assert hello["python"].startswith("3.")
    assert worker.alive
    assert not worker.busy


def test_jobs_follow_each_other_and_carry_their_id(start, with_verb):
    worker = start(with_verb("sink.say('Hello'); sink.result({'answer': 42}, '')"))
    for number in ("1", "2"):
        assert worker.run(["probe"]) == number
        assert worker.busy
        messages = [one for one in until(worker, "result") if one["type"] != "hello"]
        assert messages == [
            {"type": "note", "text": "Hello", "id": number},
            {"type": "result", "answer": 42, "id": number},
        ]
        assert not worker.busy


def test_check_tells_what_an_interpreter_has(tmp_path):
    told = check(Path(sys.executable), ROOT)
    assert told["missing"] == []
    assert told["backend"]["name"] in ("cpu", "cuda")
    assert "type" not in told


def test_a_second_job_is_refused_while_one_runs(start, with_verb):
    worker = start(with_verb(COUNT_FOREVER))
    worker.run(["probe"])
    with pytest.raises(CgcError, match="running already"):
        worker.run(["probe"])
    worker.stop()
    assert until(worker, "interrupted")


def test_a_paused_job_stands_still_until_it_goes_on(start, with_verb):
    worker = start(with_verb(COUNT_FOREVER))
    worker.run(["probe"])
    until(worker, "progress")
    worker.pause()
    until(worker, "paused")
    time.sleep(0.4)
    assert worker.poll() == []
    worker.resume()
    assert "progress" in {one["type"] for one in until(worker, "resumed") + worker.wait(5)}
    worker.pause()
    until(worker, "paused")
    worker.stop()
    until(worker, "interrupted")
    assert worker.alive  # for the next job


def test_a_job_that_does_not_stop_is_ended_and_counts_as_interrupted(start, with_verb, monkeypatch):
    monkeypatch.setattr(client, "TERMINATE_SECONDS", 0.3)
    stubborn = """
        sink.say("ready")
        while True:
            try:
                time.sleep(60)
            except KeyboardInterrupt:
                sink.say("no")
    """
    for body, says_no in (("sink.say('ready'); time.sleep(60)", False), (stubborn, True)):
        worker = start(with_verb(body))
        job = worker.run(["probe"])
        until(worker, "note")
        worker.stop(grace=0.2)
        messages = until(worker, "interrupted", 10)
        assert messages[-1] == {"type": "interrupted", "id": job}
        assert any(message.get("text") == "no" for message in messages) == says_no
        while worker.alive:
            assert worker.wait(0.1) == []


def test_close_lets_the_job_save_and_the_process_go(start, with_verb, tmp_path):
    saved = tmp_path / "saved"
    worker = start(
        with_verb(f"""
        try:
            for number in track(iter(int, 1), "Counting", sink.report, should_stop):
                time.sleep(0.01)
        except Interrupted:
            open({str(saved)!r}, "w").close()
            raise
    """)
    )
    worker.run(["probe"])
    until(worker, "progress")
    worker.close(wait=10)
    assert not worker.alive
    assert saved.exists()
    assert worker.poll()[-1]["type"] == "interrupted"
    worker.close()
    assert worker.poll() == []
    with pytest.raises(CgcError, match="has ended"):
        worker.run(["probe"])


def test_a_worker_that_is_killed_leaves_one_error_with_its_last_line(start, with_verb):
    worker = start(
        with_verb("""
        print("Step 7 of 9", file=sys.stderr, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    """)
    )
    job = worker.run(["probe"])
    error = until(worker, "error")[-1]
    assert error["text"] == (
        "The worker ended unexpectedly (killed by SIGKILL, perhaps because memory ran out: "
        "Step 7 of 9)."
    )
    assert error["lines"] == ["Step 7 of 9"]
    assert error["id"] == job
    assert not worker.alive
    assert not worker.busy
    assert worker.poll() == []


def test_a_crash_in_c_code_tells_where(start, with_verb):
    worker = start(with_verb("ctypes.string_at(0)"))
    worker.run(["probe"])
    error = until(worker, "error")[-1]
    assert "killed by SIGSEGV: Fatal Python error: Segmentation fault" in error["text"]
    assert any("driver.py" in line for line in error["lines"])


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ("echo 'no such thing' >&2; exit 3", "(exit code 3: no such thing)"),
        ("exec cat", "did not start the engine within"),
        ("exec yes", "killed by SIGPIPE"),
        (
            f'exec "{sys.executable}" -c "import sys, runpy; sys.version_info = (3, 9, 2); '
            "runpy.run_module('cgc_addon.worker', run_name='__main__')\"",
            "(exit code 1: Python 3.11 or newer is needed",
        ),
    ],
)
def test_what_is_no_fitting_python_is_told_in_one_sentence(
    start, program, monkeypatch, lines, reason
):
    monkeypatch.setattr(client, "GREETING_SECONDS", 0.5 if lines == "exec cat" else 60.0)
    worker = start(program(lines))
    worker.run(["probe"])
    (error,) = until(worker, "error")
    assert reason in error["text"]
    assert error["text"].endswith("packages in the add-on's preferences.")
    assert worker.poll() == []


@pytest.mark.parametrize("name", ["none", "folder", "text"])
def test_an_interpreter_that_cannot_be_run_is_told_at_once(tmp_path, name):
    (tmp_path / "folder").mkdir()
    (tmp_path / "text").write_text("hello")
    worker = Worker(tmp_path / name, ROOT)
    with pytest.raises(CgcError, match=r"no Python at|cannot be run"):
        worker.start()
    assert not worker.alive
    assert worker.poll() == []


def test_another_version_of_the_engine_is_refused(start, program):
    hello = '{"type": "hello", "protocol": 999, "version": "9.0"}'
    worker = start(program(f"echo '{hello}'; exec sleep 60"))
    (error,) = until(worker, "error")
    assert "another version of the engine (9.0)" in error["text"]
    assert not worker.alive


def test_a_python_without_the_packages_says_which_one_it_lacks(start, program, tmp_path):
    bare = program(f'exec "{sys.executable}" -S "$@"\n')
    worker = start(bare)
    worker.run(["train", tmp_path, "-o", tmp_path / "run"])
    error = until(worker, "error")[-1]
    assert "lacks the package" in error["text"]
    assert "traceback" not in error
    told = check(bare, ROOT)
    assert {"torch", "numpy"} <= set(told["missing"])


def test_what_python_prints_before_the_worker_starts_is_no_message(start, program):
    worker = start(program(f'echo "Welcome"; echo "{{}}"; exec "{sys.executable}" "$@"\n'))
    assert [message["type"] for message in until(worker, "hello")] == ["hello"]


def test_the_client_needs_the_standard_library_alone():
    program = (
        "import sys; import cgc_addon.worker.client\n"
        "names = {name.partition('.')[0] for name in sys.modules}\n"
        "print(*sorted(names - set(sys.stdlib_module_names) - {'cgc_addon', '__main__'}))"
    )
    result = subprocess.run(
        [sys.executable, "-S", "-c", program],
        capture_output=True, text=True, check=True, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert result.stdout.split() == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_to_the_process_end_it_with_the_job_saved(start, with_verb, number):
    worker = start(with_verb("import cgc_addon.dataset.load\n" + textwrap.dedent(COUNT_FOREVER)))
    worker.run(["probe"])
    until(worker, "progress")
    os.kill(worker.process_id, number)
    until(worker, "interrupted")
    assert "exit code 130" in until(worker, "error", 30.0)[-1]["text"]
