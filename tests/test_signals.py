# SPDX-License-Identifier: GPL-3.0-or-later
"""Signals that ask to stop reach Python, whatever has been imported."""

import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from cgc_addon.signals import ASK_TO_STOP, handlers_kept, stop_signals_handled

ROOT = Path(__file__).resolve().parents[1]

if sys.platform == "win32":
    pytest.skip("Windows ends a process without asking", allow_module_level=True)


def test_everything_that_a_verb_imports_leaves_the_handlers_to_us():
    """In a fresh Python: a library takes them when it is first imported."""
    program = """
        import os, signal
        from cgc_addon.signals import ASK_TO_STOP, stop_signals_handled
        came = []
        with stop_signals_handled(lambda number, frame: came.append(number)):
            import cgc_addon.training.pipeline, cgc_addon.results.renders
            import cgc_addon.reconstruction.solve, cgc_addon.masks.generate
            import av, gsplat, numba, onnxruntime, sklearn.cluster
            import cgc_addon.rasterize.cpu
            for number in ASK_TO_STOP:
                os.kill(os.getpid(), number)
        assert came == list(ASK_TO_STOP), came
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        capture_output=True, text=True, cwd=ROOT, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]


def test_what_a_library_installs_is_undone():
    import ctypes

    came = []
    with stop_signals_handled(lambda number, _frame: came.append(number)):
        with handlers_kept():
            # Ignored behind Python's back: 1 is SIG_IGN.
            ctypes.CDLL(None).signal(signal.SIGTERM, ctypes.c_void_p(1))
        signal.raise_signal(signal.SIGTERM)
    assert came == [signal.SIGTERM]


def test_afterwards_the_handlers_are_as_they_were():
    before = [signal.getsignal(number) for number in ASK_TO_STOP]
    with stop_signals_handled(lambda _number, _frame: None):
        assert [signal.getsignal(number) for number in ASK_TO_STOP] != before
    assert [signal.getsignal(number) for number in ASK_TO_STOP] == before


def test_under_nohup_the_terminal_may_go():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        came = []
        with stop_signals_handled(lambda number, _frame: came.append(number)):
            signal.raise_signal(signal.SIGHUP)
        assert came == []
    finally:
        signal.signal(signal.SIGHUP, before)
