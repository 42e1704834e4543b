# SPDX-License-Identifier: GPL-3.0-or-later
"""What a photo says of points that others found (Numba)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from ...dataset.scene import View
from .surfaces import Surfaces

LARGEST_COST = 0.4
"""A cell is believed where 1 − correlation is less …"""
DEPTH_TOLERANCE = 0.01
"""… and other photos have its depth, but for so much of it."""
SEEN_BEHIND = 0.05
"""A photo contradicts where what it shows in the place's stead is farther away by so much."""


@dataclass(frozen=True, eq=False)
class Testimony:
    """What another photo says of points."""

    agreeing: NDArray[np.bool_]
    """(P,) whether it shows the point at its depth."""
    contradicting: NDArray[np.bool_]
    """(P,) whether it shows what lies behind the point."""
    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    """(P,) the cell there, 0 where it is not seen."""
    pixels: NDArray[np.float64]
    """(P, 2) x and y there, 0 where it is not seen."""


def seen_in(points: NDArray[np.float64], view: View, surfaces: Surfaces) -> Testimony:
    """Say which points (P, 3) a view shows at their depth or looks through, and where."""
    count, camera = len(points), view.camera
    testimony = Testimony(
        agreeing=np.zeros(count, np.bool_),
        contradicting=np.zeros(count, np.bool_),
        rows=np.zeros(count, np.int64),
        columns=np.zeros(count, np.int64),
        pixels=np.zeros((count, 2)),
    )
    _testify(
        np.ascontiguousarray(points, np.float64),
        np.ascontiguousarray(view.world_to_camera, np.float64),
        np.array([camera.fx, camera.fy, camera.cx, camera.cy, camera.width, camera.height], float),
        surfaces.planes, surfaces.costs, surfaces.stride,
        LARGEST_COST, DEPTH_TOLERANCE, SEEN_BEHIND,
        testimony.agreeing, testimony.contradicting, testimony.rows, testimony.columns,
        testimony.pixels,
    )  # fmt: skip
    return testimony


@njit(cache=True, parallel=True, error_model="numpy")
def _testify(
    points,
    pose,
    camera,
    planes,
    costs,
    stride,
    largest_cost,
    tolerance,
    behind,
    agreeing,
    contradicting,
    rows,
    columns,
    pixels,
):
    """Look in a photo for points that others found, and compare their depths with its planes.

    Args:
        points: (P, 3) scene units.
        pose: (4, 4) world to camera.
        camera: (6,) fx, fy, cx, cy, width, height, px.
        planes: (rows, columns, 3) float32, see `Surfaces`, and so are the next two.
        costs: (rows, columns) float32.
        stride: px.
        largest_cost: of cells that are believed.
        tolerance: share of its depth by which a point may differ from what is shown.
        behind: share by which what contradicts it is farther away.
        agreeing: (P,) 0 in; out: see `Testimony`, and so are all that follow.
        contradicting: (P,).
        rows: (P,).
        columns: (P,).
        pixels: (P, 2).
    """
    first = stride // 2 + 0.5
    for index in prange(len(points)):
        X, Y, Z = points[index, 0], points[index, 1], points[index, 2]
        depth = pose[2, 0] * X + pose[2, 1] * Y + pose[2, 2] * Z + pose[2, 3]
        if depth <= 1e-9:
            continue
        right = pose[0, 0] * X + pose[0, 1] * Y + pose[0, 2] * Z + pose[0, 3]
        down = pose[1, 0] * X + pose[1, 1] * Y + pose[1, 2] * Z + pose[1, 3]
        x, y = right / depth * camera[0] + camera[2], down / depth * camera[1] + camera[3]
        if not (0.0 <= x < camera[4] and 0.0 <= y < camera[5]):
            continue
        row = min(np.int64(y / stride), costs.shape[0] - 1)
        column = min(np.int64(x / stride), costs.shape[1] - 1)
        rows[index], columns[index] = row, column
        pixels[index, 0], pixels[index, 1] = x, y
        if not costs[row, column] < largest_cost:
            continue
        inverse = np.float64(planes[row, column, 0])
        inverse += np.float64(planes[row, column, 1]) * (x - (column * stride + first))
        inverse += np.float64(planes[row, column, 2]) * (y - (row * stride + first))
        nearness = inverse * depth  # of what is shown there, over that of the point
        agreeing[index] = abs(nearness - 1.0) < tolerance
        contradicting[index] = nearness < 1.0 - behind
