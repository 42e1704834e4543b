# SPDX-License-Identifier: GPL-3.0-or-later
"""Does the window stay alive while a splat is trained? Run inside a Blender that has a window.

    blender --python tests/benchmarks/window.py -- DATASET [--seconds 60]

The extension must be installed, or this checkout is used. A timer of Blender's asks to be called
every 20 ms while training runs; the gaps between its calls are how long the window was deaf. Then
ESC is pressed (through xdotool, on X11), and the time is taken until the worker has ended.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import bpy

ROOT = Path(__file__).resolve().parents[2]
INTERVAL = 0.02
DEADLINE = 30.0
"""Seconds after ESC at which the measurement gives up."""


def main() -> None:
    """Start training once the window stands, and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--seconds", type=float, default=60.0)
    options = parser.parse_args(sys.argv[sys.argv.index("--") + 1 :])
    if not hasattr(bpy.types.Scene, "cgc"):
        sys.path.insert(0, str(ROOT))
        import cgc_addon

        cgc_addon.register()
    bpy.app.timers.register(lambda: _start(options), first_interval=3.0)


def _start(options: argparse.Namespace) -> None:
    """Import the dataset, press the button, and leave the rest to a timer."""
    folder = Path(tempfile.mkdtemp())
    window = bpy.context.window_manager.windows[0]
    area = next(area for area in window.screen.areas if area.type == "VIEW_3D")
    region = next(region for region in area.regions if region.type == "WINDOW")
    scene = window.scene
    with bpy.context.temp_override(window=window, area=area, region=region):
        bpy.ops.cgc.import_colmap("EXEC_DEFAULT", filepath=str(options.dataset))
        scene.cgc.dataset = str(options.dataset)
        scene.cgc.run = str(folder / "run")
        bpy.ops.cgc.train("INVOKE_DEFAULT")
    before = _contents()
    calls: list[float] = []
    asked = 0.0

    def tick() -> float | None:
        nonlocal asked
        now = time.perf_counter()
        calls.append(now)
        if not asked and now - calls[0] >= options.seconds:
            asked = now
            _press_escape()
        if asked and not _worker_children():
            _report(calls, asked, now, before == _contents())
        elif asked and now - asked > DEADLINE:
            print(f"The worker still runs {DEADLINE:.0f} s after ESC.", flush=True)
        else:
            return INTERVAL
        shutil.rmtree(folder, ignore_errors=True)
        bpy.ops.wm.quit_blender()
        return None

    bpy.app.timers.register(tick, first_interval=INTERVAL)


def _report(calls: list[float], asked: float, ended: float, unchanged: bool) -> None:
    gaps = sorted(
        1000 * (later - earlier) for earlier, later in itertools.pairwise(calls) if later <= asked
    )

    def share(part: float) -> float:
        return gaps[min(len(gaps) - 1, int(part * len(gaps)))]

    print(f"{len(gaps)} gaps over {asked - calls[0]:.0f} s of training, ms:")
    print(f"{'median':>8} {'90 %':>8} {'99 %':>8} {'largest':>8}")
    print(f"{share(0.5):8.1f} {share(0.9):8.1f} {share(0.99):8.1f} {gaps[-1]:8.1f}")
    print(f"The worker ended {ended - asked:.2f} s after ESC.")
    print(f"The .blend is {'unchanged' if unchanged else 'CHANGED'}.", flush=True)


def _press_escape() -> None:
    subprocess.Popen(["xdotool", "key", "Escape"])


def _worker_children() -> list[int]:
    """Return the process ids of this Blender's workers (Linux)."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((place / "stat").read_text().rsplit(")", 1)[1].split()[1])
            command = (place / "cmdline").read_bytes()
        except (OSError, ValueError, IndexError):
            continue
        if parent == os.getpid() and b"cgc_addon.worker" in command:
            found.append(int(place.name))
    return found


def _contents() -> str:
    """Return a digest of what a .blend of this moment would hold: every data-block's name."""
    names = [
        f"{kind}/{item.name_full}"
        for kind in dir(bpy.data)
        if isinstance(blocks := getattr(bpy.data, kind), bpy.types.bpy_prop_collection)
        for item in blocks
    ]
    return hashlib.sha256("\n".join(sorted(names)).encode()).hexdigest()


if __name__ == "__main__":
    main()
