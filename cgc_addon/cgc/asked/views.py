# SPDX-License-Identifier: GPL-3.0-or-later
"""In which views an object is asked for, and in which order."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ...dataset.scene import View

_BORDER = 0.02
"""Of the sides of a view, within which the middle of an object may not be."""


def views_around(
    views: Sequence[View], first: Sequence[View], middle: NDArray[np.floating], count: int
) -> list[int]:
    """Return indices of views all round an object, by how far each is from the first ones.

    Args:
        views: to choose from; those in `first` are left out.
        first: where it was seen.
        middle: (3,) of the object, scene units.
        count: views at most.
    """
    names = {view.name for view in first}
    known = np.stack([_direction(view, middle) for view in first])
    angles = []
    for index, view in enumerate(views):
        if view.name not in names and _shows(view, middle):
            cosine = float(np.clip(known @ _direction(view, middle), -1, 1).max())
            angles.append((float(np.arccos(cosine)), index))
    angles.sort()
    if len(angles) > count:  # evenly over all of them, the nearest one in any case
        places = np.linspace(0, len(angles) - 1, count).round().astype(int).tolist()
        angles = [angles[place] for place in places]
    return [index for _, index in angles]


def _direction(view: View, middle: NDArray[np.floating]) -> NDArray[np.float64]:
    away = view.center() - middle
    return away / max(float(np.linalg.norm(away)), 1e-30)


def _shows(view: View, middle: NDArray[np.floating]) -> bool:
    pose, camera = view.world_to_camera, view.camera
    x, y, z = pose[:3, :3] @ middle + pose[:3, 3]
    if z <= 0:
        return False
    column = (camera.fx * x / z + camera.cx) / camera.width
    row = (camera.fy * y / z + camera.cy) / camera.height
    return _BORDER < column < 1 - _BORDER and _BORDER < row < 1 - _BORDER
