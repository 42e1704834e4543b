# SPDX-License-Identifier: GPL-3.0-or-later
"""How a person or a system ends a verb, and what it then says."""

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from cgc_addon.cli import run_verb
from cgc_addon.cli.console.interrupt import stop_on_signals
from cgc_addon.cli.console.json_lines import JsonLines
from cgc_addon.cli.console.plain_text import PlainText
from cgc_addon.errors import Interrupted
from cgc_addon.signals import ASK_TO_STOP

ROOT = Path(__file__).resolve().parents[3]

if sys.platform == "win32":
    pytest.skip("Windows ends a process without asking", allow_module_level=True)


@pytest.mark.parametrize("number", ASK_TO_STOP)
def test_the_first_signal_asks_and_the_second_ends(number):
    messages = []
    with stop_on_signals(JsonLines(messages.append)) as should_stop:
        assert not should_stop()
        signal.raise_signal(number)
        assert should_stop()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(number)
    assert [message["type"] for message in messages] == ["note"]
    assert messages[0]["text"].startswith(number.name)


def test_a_sink_in_the_middle_of_a_line_is_no_reason_to_fail():
    class Busy(PlainText):
        def say(self, _sentence: str, /) -> None:
            raise RuntimeError("reentrant call")

    with stop_on_signals(Busy()) as should_stop:
        signal.raise_signal(signal.SIGTERM)
        assert should_stop()


@pytest.mark.parametrize(
    ("error", "claims", "denies"),
    [(Interrupted("x"), "what was done is saved", "lost"), (KeyboardInterrupt(), "lost", "saved.")],
)
def test_only_who_had_the_time_to_save_says_so(capsys, error, claims, denies):
    class Options:
        @staticmethod
        def verb(_options, _sink, _should_stop):
            raise error

    assert run_verb(Options(), PlainText(), lambda: False) == 130  # pyright: ignore[reportArgumentType]
    told = capsys.readouterr().err
    assert claims in told
    assert denies not in told


def test_machines_learn_of_an_end_without_saving():
    messages = []
    sink = JsonLines(messages.append)
    sink.interrupted(saved=True)
    sink.interrupted(saved=False)
    assert [message["type"] for message in messages] == ["interrupted", "note", "interrupted"]
    assert "lost" in messages[1]["text"]


def test_a_terminal_that_is_gone_takes_nothing_down(tmp_path):
    """Its SIGHUP asks to stop, and what is said after that is lost without an error."""
    program = """
        import fcntl, os, sys, termios, time
        fcntl.ioctl(2, termios.TIOCSCTTY, 0)
        from cgc_addon.cli import run_verb
        from cgc_addon.cli.console.interrupt import stop_on_signals
        from cgc_addon.cli.console.terminal import Terminal
        from cgc_addon.errors import Interrupted
        from cgc_addon.progress import Progress
        class Options:
            @staticmethod
            def verb(_options, sink, should_stop):
                print("ready", flush=True)
                while not should_stop():
                    sink.report(Progress("Working", 1, 2))
                    time.sleep(0.05)
                sink.say("saving")
                open(sys.argv[1], "w").write("saved")
                raise Interrupted("x")
        sink = Terminal()
        with stop_on_signals(sink) as should_stop:
            code = run_verb(Options(), sink, should_stop)
        os._exit(code)
    """
    ours, theirs = os.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program), str(tmp_path / "state")],
        stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True, cwd=ROOT,
    ) as process:  # fmt: skip
        os.close(theirs)
        try:
            seen = b""
            while b"ready" not in seen:
                seen += os.read(ours, 1000)
            os.close(ours)
            assert process.wait(timeout=60) == 130
        finally:
            process.kill()
    assert (tmp_path / "state").read_text() == "saved"
