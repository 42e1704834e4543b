# SPDX-License-Identifier: GPL-3.0-or-later
"""Ctrl-C is counted while the block runs, and raises again after it."""

from __future__ import annotations

import signal
import threading

import pytest

pytest.importorskip("bpy")

from cgc_addon.blender.jobs.interrupts import counted_interrupts


def test_ctrl_c_is_counted_and_given_back() -> None:
    before = signal.getsignal(signal.SIGINT)
    with counted_interrupts() as count:
        assert count() == 0
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        assert count() == 2
    assert signal.getsignal(signal.SIGINT) is before


def test_ctrl_c_is_given_back_after_an_error() -> None:
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(ValueError, match="wrong"), counted_interrupts():
        raise ValueError("wrong")
    assert signal.getsignal(signal.SIGINT) is before


def test_another_thread_leaves_signals_alone() -> None:
    counts: list[int] = []

    def run() -> None:
        with counted_interrupts() as count:
            counts.append(count())

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert counts == [0]
