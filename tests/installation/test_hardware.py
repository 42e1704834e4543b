# SPDX-License-Identifier: GPL-3.0-or-later
"""Which build of PyTorch a machine gets."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cgc_addon.installation import hardware

needs_no_card = pytest.mark.skipif(
    os.name == "nt" or Path("/proc/driver/nvidia/version").exists(),
    reason="the stand-in for nvidia-smi is a shell script, and a real card outdoes it",
)


def stand_in(folder: Path, script: str) -> None:
    program = folder / "nvidia-smi"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


@needs_no_card
@pytest.mark.parametrize(
    ("script", "answers"),
    [
        ("echo 'GPU 0: a card'", True),
        ("echo 'No devices were found'", False),
        ("echo 'GPU 0: a card'; exit 9", False),
    ],
)
def test_a_card_counts_once_its_driver_answers(monkeypatch, tmp_path, script, answers) -> None:
    stand_in(tmp_path, script)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert hardware.may_have_nvidia_card()
    assert hardware.has_nvidia_driver() is answers
    assert hardware.suggested_build(("cpu", "cuda")) == ("cuda" if answers else "cpu")


@needs_no_card
def test_a_driver_that_does_not_answer_is_none(monkeypatch, tmp_path) -> None:
    stand_in(tmp_path, "exec /bin/sleep 5")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(hardware, "ANSWER_SECONDS", 0.2)
    assert not hardware.has_nvidia_driver()


@needs_no_card
def test_a_machine_without_the_program_has_no_card(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not hardware.may_have_nvidia_card()
    assert not hardware.has_nvidia_driver()


@pytest.mark.parametrize(
    ("builds", "suggested"), [(("cuda",), "cuda"), (("cpu",), "cpu"), ((), "")]
)
def test_the_only_build_there_is_gets_suggested(monkeypatch, builds, suggested) -> None:
    monkeypatch.setattr(hardware, "has_nvidia_driver", lambda: False)
    assert hardware.suggested_build(builds) == suggested
