# SPDX-License-Identifier: GPL-3.0-or-later
"""A capture of square plates in a row, one of them with another behind it, and how to look at it.

A B   C D     A and B belong together at granularity 0.5, C and D at 1, all four hardly ever.
E             E lies behind A and is a segment of its own. Some Gaussians are in none.
"""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np

from cgc_addon.blender.capture.parts import new_capture, root_of
from cgc_addon.blender.common.access import of_collection
from cgc_addon.blender.segments.build import build_segments
from cgc_addon.blender.segments.data import all_segments, count_of, splats_of
from cgc_addon.blender.segments.run_files import RunFiles
from cgc_addon.cgc.clusters.granularity import MergeTree
from cgc_addon.cgc.segments import Cut, Segments, describe_segments
from cgc_addon.splats.gaussians import Gaussians

SIZE = 200
PER_UNIT = 20.0
"""px."""
PLATES = {"A": (-3.0, 0.0), "B": (-1.2, 0.0), "C": (1.5, 0.0), "D": (3.5, 0.0), "E": (-3.0, -2.0)}
SIDE = 7
"""Gaussians along an edge."""
EACH = SIDE * SIDE
LOOSE = 10
VIEW = {
    "view_matrix": np.diag([1.0, 1.0, 1.0, 1.0]).reshape(-1).tolist(),
    "window_matrix": np.diag([2 * PER_UNIT / SIZE, 2 * PER_UNIT / SIZE, -0.01, 1.0])
    .reshape(-1)
    .tolist(),
    "region_size": (SIZE, SIZE),
}
"""Looks along −z, without perspective."""
TREE = MergeTree(5, np.array([[1, 2], [3, 4], [1, 3]], np.int32), np.float32([0.9, 0.15, 0.01]))


def run() -> RunFiles:
    """Return the run, cut at granularity 0.5: AB is 1, then C, D and E."""
    steps = np.linspace(-0.75, 0.75, SIDE)
    plate = np.stack(np.meshgrid(steps, steps), -1).reshape(-1, 2)
    means = [
        np.column_stack([plate + np.array([x, 0.0]), np.full(EACH, z)]) for x, z in PLATES.values()
    ]
    means.append(np.column_stack([np.linspace(-4, 4, LOOSE), np.full(LOOSE, 3.0), np.zeros(LOOSE)]))
    clusters = np.append(np.repeat(np.arange(1, 6), EACH), np.zeros(LOOSE)).astype(np.int32)
    features = np.eye(16, dtype=np.float32)[clusters]
    features[clusters == 0] = 0.0
    labels = TREE.labels(clusters, 0.5, 1)
    count = len(clusters)
    gaussians = Gaussians(
        means=np.concatenate(means).astype(np.float32),
        log_scales=np.full((count, 3), np.log(0.2), np.float32),
        quats=np.tile(np.float32([1, 0, 0, 0]), (count, 1)),
        logit_opacities=np.full(count, 5, np.float32),
        sh=np.zeros((count, 1, 3), np.float32),
        features=features,
        segments=labels,
    )
    segments = describe_segments(labels, features, Cut(0.5, 1))
    return RunFiles(
        Path("run"), None, gaussians, clusters, TREE, Segments(segments.segments), 0.5, 1, ()
    )


def row_of_things() -> bpy.types.Collection:
    """Build the capture, its root active."""
    capture = new_capture(bpy.context.scene, "row", None)
    build_segments(bpy.context.scene, capture, run())
    bpy.context.view_layer.objects.active = root_of(capture)
    bpy.context.view_layer.update()
    return capture


def numbers(capture) -> list[tuple[int, int]]:
    """Return the number and the size of each segment."""
    return [(of_collection(c).segment, count_of(c)) for c in all_segments(capture) if count_of(c)]


def segment(capture, number: int):
    return next(c for c in all_segments(capture) if of_collection(c).segment == number)


def activate(capture, number: int) -> None:
    (item,) = splats_of(segment(capture, number))
    bpy.context.view_layer.objects.active = item


def pixel(x: float, y: float = 0.0) -> tuple[float, float]:
    """Return where a place of the scene is in the picture."""
    return SIZE / 2 + PER_UNIT * x, SIZE / 2 + PER_UNIT * y


def path(*places: tuple[float, float]) -> list[dict]:
    """Return a path as operators take it."""
    return [{"name": "", "loc": pixel(*place), "time": 0.0} for place in places]


def at(plate: str) -> dict:
    """Return what an operator is given to point at a plate."""
    x, y = pixel(PLATES[plate][0])
    return {**VIEW, "x": x, "y": y}
