# SPDX-License-Identifier: GPL-3.0-or-later
"""A kernel is compiled again when anything that it is made of has changed, and only then."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cgc_addon.rasterize.cpu import simd, ssim
from cgc_addon.rasterize.cpu.kernels import backward, forward
from cgc_addon.rasterize.cpu.sources import sources_of

PACKAGE = Path(simd.__file__).parents[2]
PROGRAM = """
from cgc_addon.rasterize.cpu.kernels.forward import draw
from cgc_addon.rasterize.cpu.kernels.projection import project
from cgc_addon.rasterize.cpu.ssim import _sweep_forward
print(*(kernel.__qualname__ for kernel in (draw, project, _sweep_forward)))
"""


def names(*modules) -> set[str]:
    return {
        source.relative_to(PACKAGE / "rasterize").as_posix()
        for module in modules
        for source in sources_of(Path(module.__file__).resolve())
    }


def test_what_kernels_are_made_of():
    assert names(forward) >= {
        "cpu/kernels/forward.py", "cpu/kernels/evaluate.py", "cpu/kernels/layout.py",
        "cpu/simd.py", "interface.py", "rules.py",
    }  # fmt: skip
    assert "cpu/kernels/backward.py" not in names(forward)
    assert "cpu/kernels/evaluate.py" in names(backward)
    assert "cpu/kernels/evaluate.py" not in names(ssim)


@pytest.mark.parametrize(
    ("file", "changed"),
    [
        ("cpu/kernels/evaluate.py", [True, False, False]),
        ("cpu/kernels/harmonics.py", [False, True, False]),
        ("cpu/backend.py", [False, False, False]),
        ("cpu/simd.py", [True, True, True]),
        ("rules.py", [True, True, True]),
    ],
)
def test_a_change_renames_the_kernels_that_it_reaches(tmp_path, file, changed):
    shutil.copytree(
        PACKAGE,
        tmp_path / "cgc_addon",
        ignore=shutil.ignore_patterns("__pycache__", "sample", "blender", "installation"),
    )

    def kernel_names() -> list[str]:
        command = [sys.executable, "-c", PROGRAM]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
        return done.stdout.split()

    before = kernel_names()
    with (tmp_path / "cgc_addon" / "rasterize" / file).open("a", encoding="utf-8") as source:
        source.write("# changed\n")
    after = kernel_names()
    assert [one != other for one, other in zip(before, after, strict=True)] == changed
