# SPDX-License-Identifier: GPL-3.0-or-later
"""What photos agree on: the surfaces of single photos become points of all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...dataset.scene import View
from .surfaces import Surfaces
from .testimony import LARGEST_COST, seen_in

MOST_CONTRADICTING = 0.5
"""Photos that contradict, for each other one that agrees. Two agree by chance, too: on folds of a
curtain, on what lies beyond the farthest depth that was tried."""

_AROUND = 2
"""Cells to each side of one whose planes are compared with its own."""
_SAME_PLANE = 0.03
"""Where it has the inverse depth of another, but for so much of it."""
_FEWEST_ON_PLANE = 4
"""Of those around, right cells on the same plane: wrong ones stand alone."""


@dataclass(frozen=True, eq=False)
class Agreed:
    """Cells of one photo that others agree with."""

    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    points: NDArray[np.float64]
    """(P, 3) scene units."""
    normals: NDArray[np.float64]
    """(P, 3) unit vectors towards the camera."""


def agreed_cells(
    views: Sequence[View],
    surfaces: Sequence[Surfaces],
    witnesses: Sequence[NDArray[np.int64]],
    indices: Iterable[int] | None = None,
) -> list[Agreed]:
    """Return the cells of each photo that others confirm and few contradict, each place once.

    Cells that stand alone, with hardly any of those around them on the same plane, are none.

    Args:
        views: cameras.
        surfaces: of each view.
        witnesses: of each view: the others that are asked, see `choose_witnesses`.
        indices: of the views, in order, from whoever looks at how far it is.

    Returns:
        One for each view; a cell is left out where one that confirms it is in already.
    """
    taken = [np.zeros(one.costs.shape, dtype=np.bool_) for one in surfaces]
    agreed = []
    for index in range(len(views)) if indices is None else indices:
        view = views[index]
        rows, columns = np.nonzero(surfaces[index].costs < LARGEST_COST)
        points = places(view, surfaces[index], rows, columns)
        agreeing, contradicting = np.zeros((2, len(rows)), dtype=np.int64)
        repeated = np.zeros(len(rows), dtype=np.bool_)
        for other in witnesses[index]:
            there = seen_in(points, views[other], surfaces[other])
            agreeing += there.agreeing
            contradicting += there.contradicting
            repeated |= there.agreeing & taken[other][there.rows, there.columns]
        confirmed = (agreeing > 0) & (contradicting <= MOST_CONTRADICTING * agreeing)
        confirmed &= _lies_among(surfaces[index], rows, columns, confirmed)
        kept = confirmed & ~repeated
        taken[index][rows[kept], columns[kept]] = True
        normals = _normals(view, surfaces[index], rows[kept], columns[kept])
        agreed.append(Agreed(rows[kept], columns[kept], points[kept], normals))
    return agreed


def _lies_among(
    surfaces: Surfaces,
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
    right: NDArray[np.bool_],
) -> NDArray[np.bool_]:
    """Say which cells (P,) have others of the `right` ones (P,) around them on the same plane."""
    height, width = surfaces.costs.shape
    padded = np.zeros((height + 2 * _AROUND, width + 2 * _AROUND))  # inverse depths, 0: none
    padded[rows[right] + _AROUND, columns[right] + _AROUND] = surfaces.planes[
        rows[right], columns[right], 0
    ]
    w, along_x, along_y = surfaces.planes[rows, columns].T.astype(np.float64)
    count = np.zeros(len(rows), dtype=np.int64)
    for down in range(-_AROUND, _AROUND + 1):
        for across in range(-_AROUND, _AROUND + 1):
            told = w + surfaces.stride * (across * along_x + down * along_y)
            there = padded[rows + _AROUND + down, columns + _AROUND + across]
            count += np.abs(there - told) < _SAME_PLANE * told
    return count - right >= _FEWEST_ON_PLANE  # without itself


def places(
    view: View, surfaces: Surfaces, rows: NDArray[np.int64], columns: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the points (P, 3) that cells show."""
    camera = view.camera
    x, y = surfaces.middles(rows, columns)
    depths = 1.0 / surfaces.planes[rows, columns, 0].astype(np.float64)
    rays = np.column_stack(
        [(x - camera.cx) / camera.fx, (y - camera.cy) / camera.fy, np.ones(len(x))]
    )
    rotation, translation = view.world_to_camera[:3, :3], view.world_to_camera[:3, 3]
    return (rays * depths[:, None] - translation) @ rotation


def _normals(
    view: View, surfaces: Surfaces, rows: NDArray[np.int64], columns: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the normals (P, 3) of the planes of cells.

    Points X of a plane n · X = δ have the inverse depth n · q / δ along the ray q = X / z.
    """
    camera = view.camera
    x, y = surfaces.middles(rows, columns)
    w, right, down = surfaces.planes[rows, columns].T.astype(np.float64)
    forward = w - right * (x - camera.cx) - down * (y - camera.cy)
    normals = -np.column_stack([right * camera.fx, down * camera.fy, forward])
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    return normals @ view.world_to_camera[:3, :3]
