# SPDX-License-Identifier: GPL-3.0-or-later
"""Kernels compiled in this process and kernels loaded from the cache give the same bits."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PROGRAM = """
import hashlib
import numpy as np, torch
from cgc_addon.dataset.scene import PinholeCamera, View
from cgc_addon.rasterize.cpu import CpuBackend
from cgc_addon.rasterize.interface import SplatTensors

random = torch.Generator().manual_seed(0)
def normal(*shape):
    return torch.randn(*shape, generator=random)
count = 3000
splat = SplatTensors(
    means=(normal(count, 3) * 0.7 + torch.tensor([0.0, 0.0, 4.0])).requires_grad_(),
    quats=normal(count, 4).requires_grad_(),
    scales=(normal(count, 3) * 0.5 - 3.0).exp().requires_grad_(),
    opacities=torch.sigmoid(normal(count)).requires_grad_(),
    sh0=(normal(count, 1, 3) * 0.5).requires_grad_(),
    shN=(normal(count, 15, 3) * 0.1).requires_grad_(),
)
view = View("view", PinholeCamera(96, 72, 75.0, 75.0, 48.0, 36.0), np.eye(4))
backend = CpuBackend()
rgb = backend.render(splat, view).rgb
backend.photometric_loss(rgb, torch.rand(72, 96, 3, generator=random)).backward()
digest = hashlib.sha256(rgb.detach().numpy().tobytes())
for values in vars(splat).values():
    digest.update(values.grad.numpy().tobytes())
print(digest.hexdigest())
"""


BESIDE = """
from cgc_addon.rasterize.cpu import CpuBackend
from cgc_addon.rasterize.cpu.beside import on_disk
from cgc_addon.rasterize.cpu.kernels.backward import differentiate, sum_pairs
from cgc_addon.rasterize.cpu.kernels.projection import project_backward
from cgc_addon.rasterize.cpu.warm_up import backward_kernels

assert not on_disk()
CpuBackend(2).compile_kernels()
assert on_disk()
kernels = (differentiate, sum_pairs, project_backward)
print([sum(kernel.stats.cache_misses.values()) for kernel in kernels])
print([len(kernel.signatures) for kernel in kernels])
"""


@pytest.mark.slow
@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="nothing is compiled beside on one core")
def test_the_backward_pass_is_compiled_by_a_second_process(tmp_path: Path) -> None:
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", BESIDE]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["[0, 0, 0]", "[1, 1, 1]"]


@pytest.mark.slow
def test_a_first_run_and_a_second_one_are_equal(tmp_path: Path) -> None:
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path), "PYTHONPATH": str(ROOT)}

    def run() -> str:
        command = [sys.executable, "-c", PROGRAM]
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, check=True
        ).stdout

    compiling = run()
    assert list(tmp_path.rglob("*.nbc"))
    assert run() == compiling
