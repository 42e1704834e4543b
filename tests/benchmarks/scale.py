# SPDX-License-Identifier: GPL-3.0-or-later
"""What grows with the number of Gaussians: seconds and memory of exports, recutting and drawing.

python tests/benchmarks/scale.py [--counts 10000 100000 …] [--tasks ply spz …]

Scenes are generated: a furnished room of N Gaussians with harmonics of degree 3, features and 60
clusters. Each task runs in a process of its own, whose peak memory is printed beside what it held
before it began; of the clock and of the processor, seconds are those of the task alone. `labels`
draws one view of 1600×1066 px; `step` is one of training on such a photo, with gradients and Adam;
`photos`, only where it is named, reads so many photos of that size, twice.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402

from cgc_addon.waiting_threads import WAITING  # noqa: E402

COUNTS = (10_000, 100_000, 1_000_000, 5_000_000)
SIZE = (1_600, 1_066)
CLUSTERS = 60
STEPS = 6
NEVER = 2**31


def main() -> None:
    """Run every task for every count, each in a process of its own, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--counts", type=int, nargs="+", default=list(COUNTS))
    parser.add_argument("--tasks", nargs="+", default=list(TASKS)[:-1], choices=list(TASKS))
    parser.add_argument("--child", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        sys.stdout.write(json.dumps(measure(options.child, options.counts[0])) + "\n")
        return
    titles = f"{'wall s':>8} {'CPU s':>8} {'before GiB':>11} {'peak GiB':>9}"
    print(f"{'task':>8} {'Gaussians':>10} {titles}")
    for task in options.tasks:
        for count in options.counts:
            command = [sys.executable, __file__, "--child", task, "--counts", str(count)]
            environment = {**os.environ, **WAITING}
            done = subprocess.run(
                command, env=environment, capture_output=True, text=True, check=False
            )
            if done.returncode:
                print(f"{task:>8} {count:>10,} {done.stderr.strip().splitlines()[-1:]}")
                continue
            found = json.loads(done.stdout.splitlines()[-1])
            print(
                f"{task:>8} {count:>10,} {found['wall']:>8.2f} {found['cpu']:>8.2f} "
                f"{found['before']:>11.2f} {found['peak']:>9.2f}",
                flush=True,
            )


def measure(task: str, count: int) -> dict[str, float]:
    """Prepare a task, then do it; return what it took."""
    with tempfile.TemporaryDirectory() as folder:
        work = TASKS[task](Path(folder), count)
        before = _resident()
        wall, cpu = time.perf_counter(), time.process_time()
        taken = work()
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        if taken is not None:
            wall, cpu = taken
        return {"wall": wall, "cpu": cpu, "before": before, "peak": _peak()}


def _resident() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**30


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def _clusters(count: int) -> Any:
    return np.random.default_rng(1).integers(0, CLUSTERS + 1, count).astype(np.int32)


def _room(count: int, *, features: bool) -> Any:
    from cgc_addon.splats.gaussians import Gaussians
    from cgc_addon.splats.morton import morton_order
    from cgc_addon.splats.select import subset
    from tests.benchmarks.rasterizer import room

    raw = {name: value.detach().numpy() for name, value in room(count).items()}
    gaussians = Gaussians(
        means=raw["means"],
        log_scales=raw["scales"],
        quats=raw["quats"],
        logit_opacities=raw["opacities"],
        sh=np.concatenate([raw["sh0"], raw["shN"]], axis=1),
    )
    del raw
    gaussians = subset(gaussians, morton_order(gaussians.means))
    if not features:
        return gaussians
    from dataclasses import replace

    values = np.random.default_rng(0).normal(size=(count, 16)).astype(np.float32)
    return replace(gaussians, features=values, segments=_clusters(count))


def _export(name: str) -> Callable[[Path, int], Callable[[], None]]:
    def prepare(folder: Path, count: int) -> Callable[[], None]:
        from cgc_addon.splats.formats import WriteSettings
        from cgc_addon.splats.write import write_splat

        gaussians = _room(count, features=name == "ply")
        settings = WriteSettings(format=name)  # type: ignore[arg-type]
        return lambda: write_splat(folder / f"splat.{name}", gaussians, settings)

    return prepare


def _segment(folder: Path, count: int) -> Callable[[], None]:
    """Write a run whose clusters are slabs of the room, and cut its tree."""
    from cgc_addon.cgc.clusters.cluster_file import write_clusters
    from cgc_addon.cgc.clusters.granularity import MergeTree
    from cgc_addon.splats.ply import write_ply
    from cgc_addon.training.presets import preset
    from cgc_addon.training.recutting import segment_again
    from cgc_addon.training.run_folder import RunFolder

    run = RunFolder(folder / "run")
    gaussians = _room(count, features=True)
    places = gaussians.means[:, 0].argsort().argsort()
    labels = (places * CLUSTERS // count + 1).astype(np.int32)
    merges = np.stack([np.ones(CLUSTERS - 1), np.arange(2, CLUSTERS + 1)], 1).astype(np.int32)
    heights = np.linspace(0.9, 0.1, CLUSTERS - 1).astype(np.float32)
    run.start(ROOT, preset("standard"), {})
    write_ply(run.splat, gaussians)
    write_clusters(run.clusters, labels, MergeTree(CLUSTERS, merges, heights))
    del gaussians, places, labels

    def work() -> None:
        segment_again(run, granularity=0.4)

    return work


def _labels(_folder: Path, count: int) -> Callable[[], None]:
    import torch

    from cgc_addon.rasterize.select import select_backend
    from cgc_addon.training.parameters import splat_of
    from tests.benchmarks.rasterizer import view_of

    backend, _ = select_backend("cpu")
    splat = splat_of(_room(count, features=False), backend.device)
    labels, view = torch.from_numpy(_clusters(count)), view_of(*SIZE)
    backend.render_labels(splat, view, labels)  # compiles its kernel, if nobody did

    def work() -> None:
        backend.render_labels(splat, view, labels)

    return work


def _step(folder: Path, count: int) -> Callable[[], tuple[float, float]]:
    """Train on generated photos of the room; the medians of some steps are told."""
    from dataclasses import replace

    from cgc_addon.dataset.load import load_dataset
    from cgc_addon.rasterize.select import select_backend
    from cgc_addon.training.presets import preset
    from cgc_addon.training.trainer import Trainer

    dataset = load_dataset(_capture(folder, STEPS))
    backend, _ = select_backend("cpu")
    config = preset("standard")
    densify = replace(config.geometry.densify, start=NEVER, stop=NEVER, cap=count)
    config = replace(config, geometry=replace(config.geometry, densify=densify))
    trainer = Trainer(dataset, backend, config, _room(count, features=False))
    trainer.step = config.geometry.steps - 2 * STEPS  # full size, degree 3

    def work() -> tuple[float, float]:
        taken = []
        for _ in range(STEPS):
            wall, cpu = time.perf_counter(), time.process_time()
            trainer.train_step()
            taken.append((time.perf_counter() - wall, time.process_time() - cpu))
        wall, cpu = np.median(taken[1:], axis=0).tolist()
        return wall, cpu

    return work


def _photos(folder: Path, count: int) -> Callable[[], None]:
    """Read so many photos twice, as training does."""
    from cgc_addon.dataset.load import load_dataset

    store = load_dataset(_capture(folder, count)).store

    def work() -> None:
        for index in (*range(count), *range(count)):
            store.photo(index)

    return work


def _capture(folder: Path, views: int) -> Path:
    """Write a capture of so many photos from one place, all of them the same file."""
    import torch
    from PIL import Image

    from cgc_addon.dataset.scene import Scene
    from cgc_addon.rasterize.select import select_backend
    from tests.benchmarks.rasterizer import activated, room, view_of
    from tests.colmap_text import write_colmap_text

    backend, _ = select_backend("cpu", compile_kernels=False)
    with torch.no_grad():
        rgb = backend.render(activated(room(100_000)), view_of(*SIZE)).rgb
    images = folder / "images"
    images.mkdir()
    first = images / "0000.jpg"
    Image.fromarray((255 * rgb.clamp(0, 1)).byte().numpy()).save(first, quality=92)
    named = []
    for number in range(views):
        pose = np.eye(4)
        pose[:3, 3] = 1e-3 * number, 0.1, 0.1
        view = view_of(*SIZE)
        named.append(type(view)(f"{number:04}.jpg", view.camera, pose))
        if number:
            (images / f"{number:04}.jpg").hardlink_to(first)
    points = np.random.default_rng(0).normal((0, 0, 5), 1.0, (1_000, 3)).astype(np.float32)
    colors = np.full((1_000, 3), 128, np.uint8)
    scene = Scene(tuple(named), points, colors, 1.0, np.array([0.0, -1.0, 0.0]))
    write_colmap_text(folder / "sparse" / "0", scene)
    return folder


TASKS: dict[str, Callable[[Path, int], Callable[[], Any]]] = {
    "ply": _export("ply"),
    "spz": _export("spz"),
    "segment": _segment,
    "labels": _labels,
    "step": _step,
    "photos": _photos,
}

if __name__ == "__main__":
    main()
