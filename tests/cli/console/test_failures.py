# SPDX-License-Identifier: GPL-3.0-or-later
import errno
import subprocess
import sys

import numpy as np
import pytest
import torch

from cgc_addon.cli import main
from cgc_addon.cli.console.failures import explain
from cgc_addon.errors import CgcError


def raised(action):
    try:
        action()
    except BaseException as error:
        return error
    raise AssertionError("nothing was raised")


@pytest.mark.parametrize(
    "error",
    [
        raised(lambda: np.empty(1 << 60, np.uint8)),
        raised(lambda: torch.empty(1 << 58)),
        torch.OutOfMemoryError("CUDA out of memory"),
    ],
)
def test_memory_that_ran_out_comes_with_advice(error):
    assert "fewer Gaussians" in (explain(error) or "")


def test_a_full_disk_names_the_file():
    full = OSError(errno.ENOSPC, "No space left on device", "/run/x.png")
    assert explain(full) == (
        "/run/x.png could not be written: No space left on device; "
        "free some space on that disk, then run again."
    )


def test_a_missing_package_names_itself_and_the_python():
    sentence = explain(ModuleNotFoundError("No module named 'torch.nn'", name="torch.nn"))
    assert "'torch'" in (sentence or "")
    assert sys.executable in (sentence or "")


@pytest.mark.parametrize(
    "error",
    [
        ValueError("x"),
        RuntimeError("x"),
        FileNotFoundError(errno.ENOENT, "No such file", "x"),
        ModuleNotFoundError("No module named 'cgc_addon.x'", name="cgc_addon.x"),
    ],
)
def test_defects_are_not_explained_away(error):
    assert explain(error) is None


def test_what_is_said_to_users_stays_as_it_is():
    assert explain(CgcError("The mask is empty.")) == "The mask is empty."


def test_the_command_line_explains_too(monkeypatch, capsys):
    def verb(_options, _sink, _should_stop):
        raise MemoryError

    monkeypatch.setattr("cgc_addon.cli.arguments.probe.run", verb)
    assert main(["probe"]) == 1
    assert capsys.readouterr().err.startswith("cgc: Memory ran out")


def test_machines_are_served_without_rich():
    program = (
        "import sys; from cgc_addon.cli import main; main(['segment', 'none', '--json'])\n"
        "sys.exit('rich' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
