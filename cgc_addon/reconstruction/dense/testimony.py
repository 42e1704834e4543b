# SPDX-License-Identifier: GPL-3.0-or-later
"""What a photo says of points that others found."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...dataset.scene import View
from .patchmatch import testify
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
    testify(
        np.ascontiguousarray(points, np.float64),
        np.ascontiguousarray(view.world_to_camera, np.float64),
        np.array([camera.fx, camera.fy, camera.cx, camera.cy, camera.width, camera.height], float),
        surfaces.planes, surfaces.costs, surfaces.stride,
        LARGEST_COST, DEPTH_TOLERANCE, SEEN_BEHIND,
        testimony.agreeing, testimony.contradicting, testimony.rows, testimony.columns,
        testimony.pixels,
    )  # fmt: skip
    return testimony
