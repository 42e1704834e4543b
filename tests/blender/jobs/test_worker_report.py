# SPDX-License-Identifier: GPL-3.0-or-later
"""A report says what the worker lacks, and how to get it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

pytest.importorskip("bpy")

from cgc_addon.blender.common.interpreter import Interpreter
from cgc_addon.blender.jobs.worker_report import WorkerReport, report_of


def test_a_report_says_what_is_missing_and_how_to_get_it(tmp_path: Path) -> None:
    probed = {"python": "3.11.9", "packages": {"numpy": "1.26.4", "torch": None, "numba": None}}
    ours = Interpreter(tmp_path / "python", "named in the preferences", False)
    report = report_of(ours, probed)
    assert not report.usable
    assert report.missing == ("torch", "numba")
    assert "torch, numba" in report.sentence()
    assert report.command.startswith(f'"{ours.path}" -m pip install')
    assert report.command.endswith("torch numba")
    assert "numpy" not in report.command


def test_blenders_own_python_is_left_alone_and_gets_an_engine_beside() -> None:
    own = Interpreter(Path(sys.executable), "Blender's own", True)
    report = report_of(own, {"packages": {"numpy": "2.3.4", "torch": None}})
    assert not report.usable
    assert report.command == ""
    assert "lacks torch; press Install Engine" in report.sentence()


def test_a_complete_worker_is_usable() -> None:
    own = Interpreter(Path(sys.executable), "Blender's own", True)
    backend = {"name": "cpu", "device": "cpu", "why": "No card was found."}
    report = report_of(own, {"python": "3.13.1", "packages": {"a": "1"}, "backend": backend})
    assert report.usable
    assert report.command == ""
    assert report.sentence() == "The worker is ready: Python 3.13.1, drawing with cpu."
    assert not WorkerReport(own, error="It burns.").usable
