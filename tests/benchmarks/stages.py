# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run costs, stage by stage: processor seconds, memory, steps a second, and its scores.

python tests/benchmarks/stages.py [DATASET ...] [--preset standard] [--minutes N]
    [--against CHECKOUT]

Without a dataset it is the bundled sample. Every eighth photo is held out. With `--against` each
run is done by the package of another checkout as well, one after the other, and both are printed
side by side. Processor seconds count the threads together; on a machine that does nothing else a
stage takes about as many seconds as that, divided by its cores.
"""

from __future__ import annotations

import argparse
import functools
import importlib
import inspect
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "cgc_addon" / "sample"
PSNR = 22.0
"""dB on the photos of training, whose time is told."""


def main() -> None:
    """Run every dataset with every package, and print what it cost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("datasets", type=Path, nargs="*", default=[SAMPLE])
    parser.add_argument("--preset", default="standard")
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--against", type=Path)
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        print(json.dumps(measure(options.datasets[0], options.child, options)))
        return
    packages = [ROOT] if options.against is None else [options.against.resolve(), ROOT]
    for dataset in options.datasets:
        print(f"\n{dataset.name}, preset {options.preset}")
        show([(package, in_a_child(package, dataset, options)) for package in packages])


def in_a_child(package: Path, dataset: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Return what `measure` finds in a process of its own, whose memory is of nothing else."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, __file__, str(dataset.resolve()), "--child", folder]
        command += ["--preset", options.preset]
        if options.minutes is not None:
            command += ["--minutes", str(options.minutes)]
        # As the verbs set it, see waiting_threads.py; an earlier package has none.
        waiting = {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "1000"}
        environment = {**os.environ, "PYTHONPATH": str(package), **waiting}
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=True, cwd=folder
        )
    return json.loads(done.stdout.splitlines()[-1])


def measure(dataset: Path, folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Train and evaluate; return processor seconds by stage, and what came of it."""
    pipeline = importlib.import_module("cgc_addon.training.pipeline")
    presets = importlib.import_module("cgc_addon.training.presets")
    evaluation = importlib.import_module("cgc_addon.results.evaluation")
    run_folder = importlib.import_module("cgc_addon.training.run_folder")
    select = importlib.import_module("cgc_addon.rasterize.select")
    select.select_backend("cpu")  # compiles the kernels
    stages: dict[str, float] = {}
    last = ["Start", time.process_time()]

    def report(progress: Any) -> None:
        now = time.process_time()
        stages[str(last[0])] = stages.get(str(last[0]), 0.0) + now - float(last[1])
        last[:] = [progress.stage, now]

    said: list[str] = []
    wishes = importlib.import_module("cgc_addon.training.asked")
    asked = wishes.Asked(minutes=options.minutes)
    began, busy = time.perf_counter(), time.process_time()
    forecasts = []
    fit_run = pipeline.fit_run

    # By the processor's clock what is said is held against processor seconds.
    @functools.wraps(fit_run)
    def fit_by_processor(*arguments: Any, **named: Any) -> Any:
        if "clock" in inspect.signature(fit_run).parameters:
            named.update(began=busy, clock=time.process_time)
        forecasts.append(fit_run(*arguments, **named))
        return forecasts[-1]

    pipeline.fit_run = fit_by_processor
    config = presets.configure(options.preset, test_every=8, backend="cpu")
    pipeline.train(dataset, folder / "run", config, asked=asked, report=report, say=said.append)
    wall, cpu = time.perf_counter() - began, time.process_time() - busy
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    run = run_folder.RunFolder(folder / "run")
    lines = [json.loads(line) for line in run.metrics.read_text().splitlines()]
    reached = [line["seconds"] for line in lines if line.get("psnr", 0.0) >= PSNR]
    scores = evaluation.evaluate(run, dataset, select.select_backend("cpu")[0])
    segmentation = scores.segmentation
    return {
        **{f"{name}, CPU s": round(seconds, 1) for name, seconds in stages.items()},
        "all, CPU s": round(cpu, 1),
        "said before, CPU s": round(forecasts[-1].seconds, 1),
        "all, wall s": round(wall, 1),
        "steps a wall second": round(lines[-1]["step"] / lines[-1]["seconds"], 1),
        f"wall s to a photo of {PSNR:g} dB": reached[0] if reached else None,
        "memory at most, GiB": round(peak, 2),
        "memory said": next((words for words in said if "GiB" in words), None),
        "Gaussians": scores.gaussians,
        "PSNR, dB": round(scores.psnr, 2),
        "mIoU": None if segmentation is None else round(segmentation.mean_iou, 4),
        "mBIoU": None if segmentation is None else round(segmentation.mean_boundary_iou, 4),
    }


def show(results: list[tuple[Path, dict[str, Any]]]) -> None:
    """Print one column for each package."""
    names = list(dict.fromkeys(name for _, result in results for name in result))
    print(f"{'':34}" + "".join(f"{package.name[-16:]:>18}" for package, _ in results))
    for name in names:
        values = [result.get(name) for _, result in results]
        print(f"{name:34}" + "".join(f"{'-' if v is None else v!s:>18}" for v in values))


if __name__ == "__main__":
    main()
