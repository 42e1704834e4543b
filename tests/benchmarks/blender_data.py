# SPDX-License-Identifier: GPL-3.0-or-later
"""How long a large splat takes in Blender: reading, collections, other granularity, save, load.

    PYTHON_WITH_BPY tests/benchmarks/blender_data.py [--gaussians 200000] [--segments 50]

The run is made up: random Gaussians with harmonics of degree 3 and features. Prints a table of
medians.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import bpy
import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import cgc_addon  # noqa: E402
from cgc_addon.blender.capture.parts import new_capture  # noqa: E402
from cgc_addon.blender.segments.build import build_segments  # noqa: E402
from cgc_addon.blender.segments.recut import recut  # noqa: E402
from cgc_addon.blender.segments.run_files import read_run  # noqa: E402
from cgc_addon.cgc.clusters.cluster_file import write_clusters  # noqa: E402
from cgc_addon.cgc.clusters.granularity import MergeTree  # noqa: E402
from cgc_addon.cgc.segments import Cut, describe_segments, write_segments  # noqa: E402
from cgc_addon.files import write_json  # noqa: E402
from cgc_addon.splats.gaussians import Gaussians  # noqa: E402
from cgc_addon.splats.ply import write_ply  # noqa: E402

CUT = Cut(0.5, 10)


def main() -> None:
    """Measure every step some times and print the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gaussians", type=int, default=200_000)
    parser.add_argument("--segments", type=int, default=50)
    parser.add_argument("--repeat", type=int, default=5)
    options = parser.parse_args()
    cgc_addon.register()
    try:
        with tempfile.TemporaryDirectory() as place:
            _measure(Path(place), options)
    finally:
        cgc_addon.unregister()


def _measure(place: Path, options: argparse.Namespace) -> None:
    folder = place / "run"
    write_run(folder, options.gaussians, options.segments)
    times: dict[str, list[float]] = {}

    def timed(name: str, call: Callable[[], object]) -> object:
        began = time.perf_counter()
        result = call()
        times.setdefault(name, []).append(time.perf_counter() - began)
        return result

    blend = str(place / "scene.blend")
    for _ in range(options.repeat):
        bpy.ops.wm.read_factory_settings(use_empty=True)
        scene = bpy.context.scene
        run = timed("read the run", lambda: read_run(folder))
        capture = new_capture(scene, "capture", None)
        timed("build the collections", lambda: build_segments(scene, capture, run))  # noqa: B023
        timed("recut to parts", lambda: recut(capture, 0.0, 10))  # noqa: B023
        timed("recut to objects", lambda: recut(capture, 0.5, 10))  # noqa: B023
        timed("save", lambda: bpy.ops.wm.save_as_mainfile(filepath=blend, compress=False))
        timed("save compressed", lambda: bpy.ops.wm.save_as_mainfile(filepath=blend, compress=True))
        timed("load compressed", lambda: bpy.ops.wm.open_mainfile(filepath=blend))
    size = Path(blend).stat().st_size / 1e6
    print(f"Blender {bpy.app.version_string}: {options.gaussians:,} Gaussians, {size:.0f} MB")
    for name, values in times.items():
        print(f"{name:<24} {statistics.median(values):6.2f} s")
    shutil.rmtree(folder)


def write_run(folder: Path, count: int, segments: int) -> None:
    """Write a run folder of random Gaussians whose clusters pair up to segments."""
    random = np.random.default_rng(0)
    clusters = random.integers(0, 2 * segments + 1, count).astype(np.int32)
    pairs = np.arange(segments, dtype=np.int32) * 2 + 1
    tree = MergeTree(
        2 * segments,
        np.stack([pairs, pairs + 1], axis=1).astype(np.int32),
        np.linspace(0.9, 0.5, segments).astype(np.float32),
    )
    labels = tree.labels(clusters, CUT.granularity, CUT.minimum_size)
    features = random.normal(size=(count, 16)).astype(np.float32)
    gaussians = Gaussians(
        means=random.normal(size=(count, 3)).astype(np.float32),
        log_scales=random.normal(-4, 0.5, (count, 3)).astype(np.float32),
        quats=random.normal(size=(count, 4)).astype(np.float32),
        logit_opacities=random.normal(size=count).astype(np.float32),
        sh=random.normal(0, 0.3, (count, 16, 3)).astype(np.float32),
        features=features,
        segments=labels,
    )
    folder.mkdir()
    write_ply(folder / "splat.ply", gaussians)
    write_clusters(folder / "clusters.npz", clusters, tree)
    write_segments(folder / "segments.json", describe_segments(labels, features, CUT))
    write_json(folder / "config.json", {"dataset": str(folder / "none")})


if __name__ == "__main__":
    main()
