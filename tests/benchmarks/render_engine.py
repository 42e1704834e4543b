# SPDX-License-Identifier: GPL-3.0-or-later
"""How long frames take with the render engine: the first, further ones, and with more passes.

    CGC_PYTHON=ENGINE PYTHON_WITH_BPY tests/benchmarks/render_engine.py [--gaussians 100000]

The splat is made up: random Gaussians with harmonics of degree 3 in some objects. Prints a table
of medians.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import bpy
import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import cgc_addon  # noqa: E402
from cgc_addon.blender.splats.objects import new_splat  # noqa: E402
from cgc_addon.splats.gaussians import Gaussians  # noqa: E402

PASSES = ("use_pass_z", "use_pass_position", "use_pass_object_index", "use_pass_cryptomatte_object")


def main() -> None:
    """Measure some frames of each kind and print the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gaussians", type=int, default=100_000)
    parser.add_argument("--objects", type=int, default=50)
    parser.add_argument("--width", type=int, default=1920)
    parser.add_argument("--height", type=int, default=1080)
    parser.add_argument("--repeat", type=int, default=5)
    options = parser.parse_args()
    cgc_addon.register()
    try:
        _measure(options)
    finally:
        cgc_addon.unregister()


def _measure(options: argparse.Namespace) -> None:
    bpy.ops.wm.read_factory_settings(use_empty=True)
    items = _make_scene(options)
    scene = bpy.context.scene
    layer = scene.view_layers[0]
    times: dict[str, list[float]] = {}

    def frames(name: str, count: int, change: Callable[[int], None]) -> None:
        for number in range(count):
            change(number)
            began = time.perf_counter()
            bpy.ops.render.render()
            times.setdefault(name, []).append(time.perf_counter() - began)

    def turn(number: int) -> None:
        scene.camera.rotation_euler.z = 0.01 * number

    def move(number: int) -> None:
        items[0].location.x = 0.01 * (number + 1)

    frames("first frame", 1, lambda _number: None)
    frames("the camera moves", options.repeat, turn)
    frames("an object moves", options.repeat, move)
    for name in PASSES:
        setattr(layer, name, True)
        frames(f"with {name}", options.repeat, turn)
        setattr(layer, name, False)
    print(
        f"Blender {bpy.app.version_string}: {options.gaussians:,} Gaussians in {len(items)} "
        f"objects, {options.width} x {options.height}"
    )
    for name, values in times.items():
        print(f"{name:<36} {statistics.median(values):6.2f} s")


def _make_scene(options: argparse.Namespace) -> list[bpy.types.Object]:
    scene = bpy.context.scene
    scene.render.engine = "CGC_SPLATS"
    scene.render.resolution_x, scene.render.resolution_y = options.width, options.height
    camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    camera.location.z = 5.0
    scene.collection.objects.link(camera)
    scene.camera = camera
    random = np.random.default_rng(0)
    items = []
    for number in range(options.objects):
        count = options.gaussians // options.objects
        place = random.normal(size=3)

        def normal(mean: float, spread: float, *shape: int) -> np.ndarray:
            return random.normal(mean, spread, (count, *shape)).astype(np.float32)  # noqa: B023

        gaussians = Gaussians(
            means=normal(0.0, 0.4, 3) + place.astype(np.float32),
            log_scales=normal(-4.0, 0.5, 3),
            quats=normal(0.0, 1.0, 4),
            logit_opacities=normal(0.0, 1.0),
            sh=normal(0.0, 0.3, 16, 3),
            features=normal(0.0, 1.0, 16),
        )
        index = np.arange(number * count, (number + 1) * count, dtype=np.int32)
        items.append(new_splat(f"object {number}", gaussians, index, index))
        scene.collection.objects.link(items[-1])
    return items


if __name__ == "__main__":
    main()
