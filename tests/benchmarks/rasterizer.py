# SPDX-License-Identifier: GPL-3.0-or-later
"""How long the CPU rasterizer takes: `python -m tests.benchmarks.rasterizer [--quick]`.

CPU time of one thread, the least of several runs, because other programs share the machine; wall
time, with all threads, for label maps and for pictures parted at a depth. The scene is a furnished
room: flat discs on walls and spheres, 85 % of them visible, half of them nearly opaque.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import torch

from cgc_addon.dataset.scene import PinholeCamera, View
from cgc_addon.rasterize import reference
from cgc_addon.rasterize.cpu import CpuBackend, drawing, projection, tiles
from cgc_addon.rasterize.interface import SplatTensors

PHASES = {
    "project": (projection, ("project",)),
    "sort+bin": (
        tiles,
        ("sort_by_depth", "bound_spans", "count_pairs", "place_tiles", "fill_tiles"),
    ),
    "draw": (drawing, ("draw",)),
    "backward": (drawing, ("differentiate", "sum_pairs")),
    "project back": (projection, ("project_backward",)),
}


def room(count: int, seed: int = 0) -> dict[str, torch.Tensor]:
    """Return the raw parameters of `count` Gaussians on a floor, two walls and three spheres."""
    generator = np.random.default_rng(seed)
    places, normals = [], []

    def plane(share: float, origin, u, v, normal) -> None:
        n = round(share * count)
        s, t = generator.uniform(-1, 1, (2, n, 1))
        places.append(np.array(origin) + s * np.array(u) + t * np.array(v))
        normals.append(np.tile(np.array(normal, float), (n, 1)))

    def sphere(n: int, origin, radius: float) -> None:
        directions = generator.normal(size=(n, 3))
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        places.append(np.array(origin) + radius * directions)
        normals.append(directions)

    plane(0.20, (0, 1.3, 5), (3.2, 0, 0), (0, 0, 3), (0, 1, 0))
    plane(0.20, (0, -1.2, 8), (4.2, 0, 0), (0, 2.6, 0), (0, 0, 1))
    plane(0.12, (-3.2, -1.2, 5), (0, 2.6, 0), (0, 0, 3), (1, 0, 0))
    sphere(round(0.18 * count), (0, 0.3, 4.2), 1.0)
    sphere(round(0.15 * count), (1.6, 0.6, 5), 0.7)
    sphere(count - sum(map(len, places)), (-1.5, 0.2, 5.5), 0.9)
    order = generator.permutation(count)
    means = np.concatenate(places)[order] + generator.normal(0, 0.01, (count, 3))
    n = np.concatenate(normals)[order]
    # The rotation from z to the normal, after a random turn about z.
    tilt = np.stack([1 + n[:, 2], -n[:, 1], n[:, 0]], 1)
    tilt[np.abs(tilt[:, 0]) < 1e-3] = 0, 1, 0
    half = generator.uniform(0, np.pi, count) / 2
    c, s = np.cos(half), np.sin(half)
    w, x, y = tilt.T
    quats = np.stack([w * c, x * c + y * s, y * c - x * s, w * s], 1)
    size = 20 * math.sqrt(20_000 / count) / 6.2 / 360 * 5
    scales = np.log(size) + generator.normal(size=(count, 3)) * [0.45, 0.45, 0.3]
    scales[:, 2] += np.log(0.15)
    opaque = generator.random(count) < 0.35
    logits = np.where(opaque, generator.normal(3, 1, count), generator.normal(-0.8, 1.3, count))
    arrays = {
        "means": means,
        "quats": quats,
        "scales": scales,
        "opacities": logits,
        "sh0": generator.normal(0, 0.8, (count, 1, 3)),
        "shN": generator.normal(0, 0.08, (count, 15, 3)),
    }
    return {
        name: torch.tensor(array, dtype=torch.float32, requires_grad=True)
        for name, array in arrays.items()
    }


def activated(raw: dict[str, torch.Tensor]) -> SplatTensors:
    """Return what the rasterizer takes, from log-scales and logits."""
    return SplatTensors(
        **{**raw, "scales": raw["scales"].exp(), "opacities": raw["opacities"].sigmoid()}
    )


def view_of(width: int, height: int) -> View:
    """Return the camera in the middle of the room."""
    pose = np.eye(4)
    pose[:3, 3] = 0, 0.1, 0.1
    focal = 0.9 * width
    return View("room", PinholeCamera(width, height, focal, focal, width / 2, height / 2), pose)


@contextmanager
def phases_timed():
    """Yield a dict that adds up the CPU ms of each phase while the block runs."""
    spent: dict[str, float] = dict.fromkeys(PHASES, 0.0)
    originals = []

    def timed(phase: str, function: Callable) -> Callable:
        def run(*arguments):
            start = time.process_time()
            result = function(*arguments)
            spent[phase] += 1e3 * (time.process_time() - start)
            return result

        return run

    for phase, (module, names) in PHASES.items():
        for name in names:
            originals.append((module, name, getattr(module, name)))
            setattr(module, name, timed(phase, getattr(module, name)))
    try:
        yield spent
    finally:
        for module, name, function in originals:
            setattr(module, name, function)


def least(runs: list[dict[str, float]]) -> dict[str, float]:
    """Return the least of each figure."""
    return {name: min(run[name] for run in runs) for name in runs[0]}


def training_step(
    backend: CpuBackend, count: int, size: tuple[int, int], channels: int, repeats: int
) -> dict[str, float]:
    """Return the CPU ms of the phases of a training step, and of the whole."""
    width, height = size
    raw, view = room(count), view_of(width, height)
    features = torch.randn(count, channels, requires_grad=True) if channels else None
    parameters = [*raw.values(), *([features] if features is not None else [])]
    optimizer = torch.optim.Adam(parameters, lr=1e-6, fused=True)
    target = torch.rand(height, width, 3)
    upstream = torch.randn(height, width, channels) * 1e-3
    runs = []
    for _ in range(repeats):
        with phases_timed() as spent:
            start = time.process_time()
            rendering = backend.render(activated(raw), view, features=features)
            drawn = time.process_time()
            loss = backend.photometric_loss(rendering.rgb, target)
            lost = time.process_time()
            if rendering.features is None:
                loss.backward()
            else:
                torch.autograd.backward([loss, rendering.features], [None, upstream])
            before_adam = time.process_time()
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            end = time.process_time()
        runs.append(
            {
                **spent,
                "loss": 1e3 * (lost - drawn),
                "adam": 1e3 * (end - before_adam),
                "step": 1e3 * (end - start),
            }
        )
    return least(runs)


def torch_step(count: int, size: tuple[int, int], channels: int) -> float:
    """Return the CPU ms of drawing and differentiating once with the tiled reference."""
    raw, view = room(count), view_of(*size)
    features = torch.randn(count, channels, requires_grad=True) if channels else None
    start = time.process_time()
    rendering = reference.render(activated(raw), view, features=features, tile_size=16)
    total = rendering.rgb.sum()
    if rendering.features is not None:
        total = total + rendering.features.sum()
    total.backward()
    return 1e3 * (time.process_time() - start)


def wall_milliseconds(count: int, size: tuple[int, int], repeats: int) -> dict[str, float]:
    """Return the wall ms, with all threads, of a picture, a parted one and a label map."""
    backend, view = CpuBackend(), view_of(*size)
    with torch.no_grad():
        splat = activated(room(count))
    splat = replace(splat, means=splat.means.detach())
    labels = torch.randint(0, 12, (count,), dtype=torch.int32)
    limits = 2 + 6 * torch.rand(view.camera.height, view.camera.width)
    calls: dict[str, Callable[[], object]] = {
        "plain wall": lambda: backend.render(splat, view),
        "split wall": lambda: backend.render_split(splat, view, limits),
        "labels wall": lambda: backend.render_labels(splat, view, labels),
    }
    runs = []
    for _ in range(repeats):
        spent = {}
        for name, call in calls.items():
            start = time.perf_counter()
            with torch.no_grad():
                call()
            spent[name] = 1e3 * (time.perf_counter() - start)
        runs.append(spent)
    return least(runs)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="only 50k Gaussians at 400×300")
    parser.add_argument("--repeats", type=int, default=12)
    parser.add_argument("--torch", action="store_true", help="compare with plain torch: minutes")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    backend = CpuBackend(threads=1)
    backend.compile_kernels()
    counts = (50_000,) if arguments.quick else (20_000, 50_000, 100_000)
    sizes = ((400, 300),) if arguments.quick else ((400, 300), (800, 600))
    titles = [*PHASES, "loss", "adam", "step", "plain wall", "split wall", "labels wall"]
    print(f"{'N':>7} {'size':>8} {'C':>3}", *(f"{title:>12}" for title in titles), "torch / ours")
    for size in sizes:
        for count in counts:
            walls = wall_milliseconds(count, size, arguments.repeats)
            for channels in (0, 16):
                figures = training_step(backend, count, size, channels, arguments.repeats)
                figures |= walls
                ratio = ""
                if arguments.torch:
                    ours = sum(figures[phase] for phase in PHASES)
                    ratio = f"{torch_step(count, size, channels) / ours:12.0f}"
                row = " ".join(f"{figures[title]:12.1f}" for title in titles)
                print(f"{count:7} {size[0]:>4}×{size[1]} {channels + 3:3} {row} {ratio}")


if __name__ == "__main__":
    main()
