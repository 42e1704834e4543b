# SPDX-License-Identifier: GPL-3.0-or-later
"""The Gaussians as they are being trained, drawn over the viewport; the .blend knows nothing of it.

The worker writes a file now and then; each new one is read once and turned into a batch when the
viewport is next drawn.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import bpy
import numpy as np
from mathutils import Matrix
from numpy.typing import NDArray

from ...errors import CgcError
from ..capture.import_colmap import capture_of_dataset
from ..capture.parts import root_of
from ..common.context import members_of
from ..common.redraw_pace import RedrawPace
from ..common.windows import redraw_viewports

if TYPE_CHECKING:
    from gpu.types import GPUBatch, GPUShader

MOST_POINTS = 100_000
POINT_SIZE = 3.0
"""Pixels, before the scale of the user interface."""
COLUMNS = 7
"""x y z radius r g b."""
_Z_UP = Matrix(((1, 0, 0, 0), (0, 0, 1, 0), (0, -1, 0, 0), (0, 0, 0, 1)))
"""COLMAP's first camera looks along Z with Y down, and most people hold a camera level."""


@dataclass
class _Shown:
    """What is drawn; there is one of it at most."""

    handle: Any = None
    dataset: str = ""
    number: int = 0
    """Of the file that was read last."""
    points: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, COLUMNS), np.float32))
    batch: tuple[GPUShader, GPUBatch] | None = None
    """Of `points`; made when they are drawn for the first time."""
    pace: RedrawPace = field(default_factory=lambda: RedrawPace(0.0))


_shown = _Shown()


def show(file: Path, number: int, dataset: str) -> None:
    """Draw a preview over every viewport, in place of the one before, unless that is too soon.

    Args:
        file: (M, 7) float32 array: x y z in the capture's frame, radius, r g b in sRGB.
        number: of this version of the file; the same again is not read again.
        dataset: folder of the capture, whose root places the points, if it was imported.
    """
    if bpy.app.background or (_shown.handle is not None and _shown.number == number):
        return
    if _shown.handle is not None and not _shown.pace.due():
        return
    points = read_points(file)
    if points is None:
        return
    _shown.points, _shown.batch = points, None
    _shown.number, _shown.dataset = number, dataset
    if _shown.handle is None:
        _shown.handle = bpy.types.SpaceView3D.draw_handler_add(_draw, (), "WINDOW", "POST_VIEW")
    redraw_viewports(bpy.context)
    _shown.pace.shown()


def hide() -> None:
    """Draw no preview any more."""
    if _shown.handle is not None:
        with suppress(ValueError):  # Blender has removed it by itself
            bpy.types.SpaceView3D.draw_handler_remove(_shown.handle, "WINDOW")
        redraw_viewports(bpy.context)
    _shown.pace.close()
    _shown.handle, _shown.batch, _shown.number = None, None, 0
    _shown.points = np.zeros((0, COLUMNS), np.float32)


def read_points(file: Path) -> NDArray[np.float32] | None:
    """Return at most `MOST_POINTS` points of a preview, None where the file is none."""
    try:
        stored = np.load(file, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    if stored.ndim != 2 or stored.shape[1] != COLUMNS:
        return None
    every = max(1, -(-len(stored) // MOST_POINTS))
    return np.array(stored[::every], np.float32)


def placement(dataset: str) -> Matrix:
    """Return where the capture's frame lies in the world: (4, 4)."""
    scene = members_of(bpy.context).scene
    capture = capture_of_dataset(scene, Path(dataset)) if scene is not None else None
    if capture is not None:
        with suppress(CgcError):
            return root_of(capture).matrix_world.copy()
    return _Z_UP.copy()


def _draw() -> None:
    """Draw the points; called by Blender with the viewport's matrices set."""
    try:
        _draw_points()
    except Exception:
        hide()  # once is enough: Blender would call it again with every redraw
        raise


def _draw_points() -> None:
    import gpu

    if not len(_shown.points):
        return
    if _shown.batch is None:
        _shown.batch = _make_batch(_shown.points)
    shader, batch = _shown.batch
    preferences = members_of(bpy.context).preferences
    size = POINT_SIZE * (preferences.system.ui_scale if preferences else 1.0)
    gpu.state.depth_test_set("LESS_EQUAL")
    gpu.state.depth_mask_set(True)
    gpu.state.point_size_set(size)
    try:
        with cast("AbstractContextManager[None]", gpu.matrix.push_pop()):
            gpu.matrix.multiply_matrix(placement(_shown.dataset))
            shader.bind()
            with suppress(ValueError):  # of shaders without it, the state above sets the size
                shader.uniform_float("size", size)
            batch.draw(shader)
    finally:
        gpu.state.point_size_set(1.0)
        gpu.state.depth_mask_set(False)
        gpu.state.depth_test_set("NONE")


def _make_batch(points: NDArray[np.float32]) -> tuple[GPUShader, GPUBatch]:
    import gpu

    types: Any = gpu.types  # its stubs know no constructor arguments
    try:
        shader = gpu.shader.from_builtin("POINT_FLAT_COLOR")
    except ValueError:  # Blenders without it draw points with any shader
        shader = gpu.shader.from_builtin("FLAT_COLOR")
    colors = np.ones((len(points), 4), np.float32)
    colors[:, :3] = points[:, 4:7]
    layout = types.GPUVertFormat()
    layout.attr_add(id="pos", comp_type="F32", len=3, fetch_mode="FLOAT")
    layout.attr_add(id="color", comp_type="F32", len=4, fetch_mode="FLOAT")
    buffer = types.GPUVertBuf(layout, len(points))
    buffer.attr_fill("pos", np.ascontiguousarray(points[:, :3]))
    buffer.attr_fill("color", colors)
    return shader, types.GPUBatch(type="POINTS", buf=buffer)
