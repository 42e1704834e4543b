# SPDX-License-Identifier: GPL-3.0-or-later
"""How fast training goes: steps a second and seconds to a PSNR on held-out views.

python tests/benchmarks/training.py [DATASET] [--preset standard] [--checks 10]
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402

from cgc_addon.cgc.metrics import peak_signal_to_noise  # noqa: E402
from cgc_addon.dataset.load import Dataset, load_dataset  # noqa: E402
from cgc_addon.rasterize.cpu import CpuBackend  # noqa: E402
from cgc_addon.results.renders import draw  # noqa: E402
from cgc_addon.splats.initialise import first_gaussians  # noqa: E402
from cgc_addon.training.presets import preset  # noqa: E402
from cgc_addon.training.trainer import Trainer  # noqa: E402


def main() -> None:
    """Train once, and stop the clock at every check."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dataset", type=Path, nargs="?", default=ROOT / "cgc_addon" / "sample")
    parser.add_argument("--preset", default="standard")
    parser.add_argument("--steps", type=int)
    parser.add_argument("--checks", type=int, default=10)
    options = parser.parse_args()
    dataset = load_dataset(options.dataset, test_every=8)
    backend = CpuBackend()
    config = replace(preset(options.preset, steps=options.steps), test_every=8)
    views = tuple(dataset.scene.views[index] for index in dataset.train)
    start = first_gaussians(
        replace(dataset.scene, views=views),
        lambda index: dataset.store.photo(dataset.train[index], 1),
        far_count=config.geometry.far_points,
    )
    trainer = Trainer(dataset, backend, config, start)
    trainer.train_step()  # compiles or loads the kernels
    print(f"{options.dataset.name}, preset {options.preset}, {trainer.steps} steps")
    print(f"{'step':>6} {'Gaussians':>10} {'wall s':>7} {'CPU s':>7} {'steps/s':>8} {'PSNR':>6}")
    wall = cpu = 0.0
    for check in range(1, options.checks + 1):
        until = round(trainer.steps * check / options.checks)
        first, begun, busy = trainer.step, time.perf_counter(), time.process_time()
        while trainer.step < until:
            trainer.train_step()
        seconds = time.perf_counter() - begun
        wall, cpu = wall + seconds, cpu + time.process_time() - busy
        gaussians = trainer.gaussians()
        print(
            f"{until:>6} {len(gaussians):>10,} {wall:>7.1f} {cpu:>7.1f} "
            f"{(until - first) / seconds:>8.1f} {_psnr(trainer, dataset, backend):>6.2f}",
            flush=True,
        )


def _psnr(trainer: Trainer, dataset: Dataset, backend: CpuBackend) -> float:
    views = [dataset.store.view(index, 0) for index in dataset.test]
    drawn = draw(trainer.gaussians(), views, ("rgb",), backend)
    values = []
    for index, rendered in zip(dataset.test, drawn, strict=True):
        assert rendered.rgb is not None
        photo = dataset.store.photo(index, 0).astype(np.float32) / 255.0
        values.append(peak_signal_to_noise(rendered.rgb, photo))
    return float(np.mean(values))


if __name__ == "__main__":
    main()
