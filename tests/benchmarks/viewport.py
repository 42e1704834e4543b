# SPDX-License-Identifier: GPL-3.0-or-later
"""How long a viewport takes to draw splats. Run inside a Blender that has a window.

    blender --python tests/benchmarks/viewport.py -- [--gaussians 100000 1000000]

Blender hands a script the options after `--` only where that stands behind `--python`, else it
ignores both. Where the order is somebody else's, the variable CGC_BENCHMARK holds the options.

The extension must be installed, or this checkout is used. The splat is made up: Gaussians of degree
3 on balls above a floor, as dense as training leaves them. Prints a table when all is measured:
redraws with the view turned a little each time (median), from the last turn to the full picture, a
redraw in which nothing has changed. Its first line is Blender alone. Other work on the computer
counts: only ratios within one table mean something then.
"""

from __future__ import annotations

import argparse
import os
import shlex
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import bpy
import numpy as np
from mathutils import Quaternion

ROOT = Path(__file__).resolve().parents[2]
TURNS = 16
PATIENCE = 120.0


def main() -> None:
    """Begin once the window stands."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gaussians", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--ellipsoids-up-to", type=int, default=100_000)
    parser.add_argument("--no-points", action="store_true", help="splats and ellipsoids alone")
    given = sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else []
    options = parser.parse_args(given or shlex.split(os.environ.get("CGC_BENCHMARK", "")))
    if not hasattr(bpy.types.Scene, "cgc"):
        sys.path.insert(0, str(ROOT))
        import cgc_addon

        cgc_addon.register()
    bpy.app.timers.register(lambda: _measure(options), first_interval=2.0)


def _measure(options: argparse.Namespace) -> None:
    import gpu

    window = bpy.context.window_manager.windows[0]
    area = next(area for area in window.screen.areas if area.type == "VIEW_3D")
    with bpy.context.temp_override(window=window, area=area):
        bpy.ops.screen.screen_full_area(use_hide_panels=True)
    area = next(area for area in window.screen.areas if area.type == "VIEW_3D")
    region = next(region for region in area.regions if region.type == "WINDOW")
    rows = [
        f"{gpu.platform.renderer_get()}, {region.width}x{region.height}",
        f"{'Gaussians':>10} {'look':>10} {'turning':>9} {'full after':>11} {'still':>8}",
    ]
    with bpy.context.temp_override(window=window, area=area, region=region):
        rows.append(_one(0, "SPLATS", area))
        for count in options.gaussians:
            rows.append(_one(count, "SPLATS", area))
            if count <= options.ellipsoids_up_to:
                rows.append(_one(count, "ELLIPSOIDS", area))
            if not options.no_points:
                rows.append(_one(count, "POINTS", area))
    print("\n".join(rows), flush=True)
    bpy.ops.wm.quit_blender()


def _one(count: int, look: str, area: bpy.types.Area) -> str:
    """Return a line of the table."""
    for item in list(bpy.data.objects):
        bpy.data.objects.remove(item)
    scene = bpy.context.scene
    scene.cgc.look_shape = look
    if count:
        _add_splat(count)
    view = area.spaces[0].region_3d
    view.view_perspective = "PERSP"
    view.view_location, view.view_distance = (0.0, 0.0, 0.4), 6.0
    view.view_rotation = Quaternion((0.8, 0.5, 0.15, 0.25))
    _redraw()
    turning = []
    for _ in range(TURNS):
        view.view_rotation = view.view_rotation @ Quaternion((0.0, 0.3, 1.0), 0.02)
        view.update()
        turning.append(_timed(_redraw))
    began = time.perf_counter()
    while not _is_complete() and time.perf_counter() - began < PATIENCE:
        time.sleep(0.03)
        _redraw_if_due()
    full = time.perf_counter() - began
    still = [_timed(_redraw) for _ in range(5)]
    return (
        f"{count:10,} {look:>10} {1000 * statistics.median(turning[2:]):6.0f} ms"
        f" {full:9.2f} s {1000 * statistics.median(still):5.0f} ms"
    )


def _redraw() -> None:
    bpy.ops.wm.redraw_timer(type="DRAW_WIN_SWAP", iterations=1)


def _redraw_if_due() -> None:
    from cgc_addon.blender.drawing import handler

    if handler.due_regions():
        _redraw()


def _is_complete() -> bool:
    from cgc_addon.blender.drawing import handler

    return handler.is_complete()


def _timed(call: Callable[[], None]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def _add_splat(count: int) -> None:
    from cgc_addon.blender.splats.looks import apply_look
    from cgc_addon.blender.splats.objects import new_splat
    from cgc_addon.splats.gaussians import Gaussians

    random = np.random.default_rng(0)
    on_floor = count // 2
    floor = np.column_stack(
        [random.uniform(-3, 3, (on_floor, 2)), random.normal(0, 0.005, on_floor)]
    )
    towards = random.normal(size=(count - on_floor, 3))
    towards /= np.linalg.norm(towards, axis=1, keepdims=True)
    balls = 0.5 * towards + random.integers(-2, 3, (count - on_floor, 1)) * [1.0, 0.6, 0.0]
    means = np.concatenate([floor, balls + np.array([0.0, 0.0, 0.5])]).astype(np.float32)
    spacing = 6.0 / np.sqrt(count)
    quats = random.normal(size=(count, 4)).astype(np.float32)
    gaussians = Gaussians(
        means=means,
        log_scales=np.log(spacing * np.exp(random.normal(0.0, 0.5, (count, 3)))).astype(np.float32),
        quats=quats / np.linalg.norm(quats, axis=1, keepdims=True),
        logit_opacities=random.normal(1.0, 2.0, count).astype(np.float32),
        sh=random.normal(0.0, 0.2, (count, 16, 3)).astype(np.float32),
    )
    item = new_splat(
        "splat", gaussians, np.arange(count, dtype=np.int32), np.zeros(count, dtype=np.int32)
    )
    bpy.context.scene.collection.objects.link(item)
    apply_look(item)


main()
