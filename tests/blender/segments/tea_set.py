# SPDX-License-Identifier: GPL-3.0-or-later
"""A capture of three segments, its root active, and what operators are called for."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np

from cgc_addon.blender.capture.parts import new_capture, root_of
from cgc_addon.blender.common.access import of_collection
from cgc_addon.blender.output.placed_splats import gather, visible_splats
from cgc_addon.blender.segments.build import build_segments
from cgc_addon.blender.segments.data import all_segments
from cgc_addon.blender.segments.run_files import read_run


def tea_set(run: Path) -> bpy.types.Collection:
    """Build the capture from a run of `write_run`."""
    capture = new_capture(bpy.context.scene, "tea set", np.array([0.0, -1.0, 0.0]))
    build_segments(bpy.context.scene, capture, read_run(run))
    bpy.context.view_layer.objects.active = root_of(capture)
    return capture


def segment(capture, number: int):
    return next(c for c in all_segments(capture) if of_collection(c).segment == number)


def select(*items) -> None:
    """Select objects, the last one active."""
    bpy.ops.object.select_all(action="DESELECT")
    for item in items:
        item.select_set(True)
        bpy.context.view_layer.objects.active = item


def shown(capture) -> set[int]:
    graph = bpy.context.evaluated_depsgraph_get()
    return set(np.unique(gather(visible_splats(graph)).segments).tolist())
