# SPDX-License-Identifier: GPL-3.0-or-later
"""`blender -b -c cgc VERB …`: the verbs, their exit codes, and Ctrl-C, as without Blender."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("bpy")

from cgc_addon.blender import command

ROOT = Path(__file__).parents[2]
needs_signals = pytest.mark.skipif(os.name == "nt", reason="signals of this kind are POSIX")

CALL = """
import sys
sys.path.insert(0, {root!r})
import bpy
from cgc_addon.blender import command
code = command.run_verb({arguments!r})
print("ended", code)
sys.exit(code)
"""


@pytest.fixture
def own_python(monkeypatch) -> None:
    """Let this Python be the worker's: it has NumPy, and `probe` needs no more."""
    monkeypatch.setenv("CGC_PYTHON", sys.executable)


@pytest.fixture
def stand_in(monkeypatch, tmp_path: Path):
    """Return a function that lets a program in Python take the place of the engine."""

    def put(program: str) -> Path:
        file = tmp_path / "python"
        file.write_text(f"#!{sys.executable}\nimport os, signal, sys, time\n{program}\n")
        file.chmod(0o755)
        monkeypatch.setenv("CGC_PYTHON", str(file))
        return file

    return put


def test_a_verb_runs_in_the_engines_python_and_prints_as_ever(own_python, capfd) -> None:
    assert command.run_verb(["probe", "--json"]) == 0
    told = json.loads(capfd.readouterr().out.splitlines()[-1])
    assert told["type"] == "result"
    assert told["cgc"]


def test_mistakes_end_with_2_and_failures_with_1(own_python, capfd, tmp_path: Path) -> None:
    assert command.run_verb(["trian"]) == 2
    assert "trian" in capfd.readouterr().err
    assert command.run_verb([]) == 2
    capfd.readouterr()
    assert command.run_verb(["export", str(tmp_path), "-o", str(tmp_path / "x.ply")]) == 1
    assert capfd.readouterr().err.splitlines()[-1].startswith("cgc: ")


def test_help_is_no_failure(own_python, capfd) -> None:
    assert command.run_verb(["--help"]) == 0
    assert "blend" in capfd.readouterr().out


@pytest.mark.parametrize("kind", ["missing", "no program"])
def test_an_interpreter_that_cannot_run_is_one_clear_line(
    kind, monkeypatch, capfd, tmp_path: Path
) -> None:
    python = tmp_path / "python"
    if kind == "no program":
        python.write_text("this is no program")
        python.chmod(0o644)
    monkeypatch.setenv("CGC_PYTHON", str(python))
    assert command.run_verb(["probe"]) == 1
    error = capfd.readouterr().err
    assert error.startswith("cgc: ")
    assert error.count("\n") == 1
    assert str(python) in error


@needs_signals
def test_the_child_gets_a_clean_environment_that_leads_back_here(
    stand_in, monkeypatch, capfd
) -> None:
    monkeypatch.setenv("PYTHONHOME", "/of/blender")
    monkeypatch.delenv("CGC_BLENDER", raising=False)
    stand_in(
        "print(os.environ.get('PYTHONHOME'), os.environ['CGC_BLENDER'], os.environ['PYTHONPATH'])"
    )
    assert command.run_verb(["probe"]) == 0
    home, blender, path = capfd.readouterr().out.split()
    assert home == "None"
    assert blender == command.this_blender() == sys.executable
    assert Path(path.split(os.pathsep)[0]) == ROOT


@needs_signals
def test_a_blender_that_the_user_names_goes_first(stand_in, monkeypatch, capfd) -> None:
    monkeypatch.setenv("CGC_BLENDER", "/named/by/the/user")
    stand_in("print(os.environ['CGC_BLENDER'])")
    assert command.run_verb(["demo"]) == 0
    assert capfd.readouterr().out.strip() == "/named/by/the/user"


@needs_signals
def test_exit_codes_and_ends_by_signals_are_handed_on(stand_in) -> None:
    stand_in("sys.exit(int(sys.argv[3]))")
    assert [command.run_verb([str(code)]) for code in (0, 1, 2, 130)] == [0, 1, 2, 130]
    stand_in("os.kill(os.getpid(), signal.SIGKILL)")
    assert command.run_verb(["train"]) == 128 + signal.SIGKILL


@needs_signals
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_reaches_the_child_once_and_its_exit_code_is_kept(
    stand_in, number, tmp_path: Path
) -> None:
    """As when Ctrl-C stops training: it saves, and says so by 130."""
    stand_in(
        "count = 0\n"
        "def stop(number, frame):\n"
        "    global count; count += 1; print('asked', flush=True)\n"
        "signal.signal(signal.SIGINT, stop); signal.signal(signal.SIGTERM, stop)\n"
        "print('running', flush=True)\n"
        "while not count: time.sleep(0.05)\n"
        "time.sleep(0.3); print('count', count, flush=True); sys.exit(130)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", CALL.format(root=str(ROOT), arguments=["train"])],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as blender:
        assert blender.stdout is not None
        while "running" not in blender.stdout.readline():
            assert blender.poll() is None
        time.sleep(0.3)
        os.killpg(blender.pid, number)  # as a terminal does
        output = blender.stdout.read()
        assert blender.wait(timeout=30) == 130
    assert "count 1" in output
    assert "ended 130" in output


def test_blend_runs_in_this_blender(write_run, monkeypatch, tmp_path: Path, capfd) -> None:
    def refuse(*_arguments: object, **_options: object) -> None:
        raise AssertionError("another process was started")

    monkeypatch.setattr(subprocess, "Popen", refuse)
    file = tmp_path / "scene.blend"
    assert command.run_verb(["blend", str(write_run()), "-o", str(file)]) == 0
    assert file.is_file()
    assert "3 segments" in capfd.readouterr().out
    assert command.run_verb(["blend", str(tmp_path / "none"), "-o", str(file)]) == 1


def test_the_signal_handlers_of_blender_are_put_back(own_python) -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    command.run_verb(["--version"])
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


@needs_signals
def test_the_engine_hears_when_blender_is_killed(stand_in, tmp_path: Path) -> None:
    stand_in(
        f"open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid()))\n"
        "print('running', os.environ['CGC_STDIN_IS_WATCHED'], flush=True)\n"
        f"os.read(0, 1); open({str(tmp_path / 'ended')!r}, 'w').close()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", CALL.format(root=str(ROOT), arguments=["train"])],
        stdout=subprocess.PIPE,
        text=True,
    ) as blender:
        assert blender.stdout is not None
        while "running 1" not in blender.stdout.readline():
            assert blender.poll() is None
        assert not (tmp_path / "ended").exists()
        blender.kill()
        blender.wait()
    for _ in range(100):
        if (tmp_path / "ended").exists():
            return
        time.sleep(0.1)
    raise AssertionError("it does not know")
