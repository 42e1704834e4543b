# SPDX-License-Identifier: GPL-3.0-or-later
"""In which order Gaussians are drawn: the farthest first, what cannot be seen left out.

NumPy alone, and without holding Python's lock for long, so that it may run beside the window.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...rasterize.rules import NEAR_PLANE
from .shown import Appearance, Viewpoint

MARGIN = 1.3
"""Gaussians count whose middle lies in this many times the width and height of the picture; as in
3DGS, others are too far away from where the projection holds."""
CANDIDATES = 4.0
"""Where only some Gaussians are drawn, so many times as many are looked at, whatever the view."""


@dataclass(frozen=True, eq=False)
class Order:
    """K Gaussians, back to front."""

    gaussians: NDArray[np.integer]
    """(K,) index in its own splat."""
    appearances: NDArray[np.int32]
    """(K,) index of the appearance."""

    def __len__(self) -> int:
        return len(self.gaussians)


def back_to_front(
    appearances: Sequence[Appearance], viewpoint: Viewpoint, at_most: int | None = None
) -> Order:
    """Return what is drawn from a viewpoint, sorted by the depth of the means.

    Args:
        appearances: what is shown.
        viewpoint: from where.
        at_most: draw only so many Gaussians, those that cover most of the picture.
    """
    total = sum(len(appearance.splat.gaussians) for appearance in appearances)
    share = 1.0 if at_most is None else CANDIDATES * at_most / max(total, 1)
    depths, indices, owners, sizes = [], [], [], []
    for number, appearance in enumerate(appearances):
        matrix = viewpoint.world_to_view @ appearance.matrix
        chosen = _candidates(appearance, share)
        depth, seen = _seen(appearance.splat.gaussians.means[chosen], matrix, viewpoint)
        kept = np.flatnonzero(seen)
        depths.append(depth[kept])
        indices.append(kept if isinstance(chosen, slice) else chosen[kept])
        owners.append(np.full(len(kept), number, dtype=np.int32))
        if at_most is not None:
            sizes.append(_sizes(appearance, matrix, depths[-1], indices[-1], viewpoint))
    if not depths:
        return Order(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int32))
    depth, index, owner = (np.concatenate(part) for part in (depths, indices, owners))
    if at_most is not None and len(depth) > at_most:
        size = np.concatenate(sizes)
        largest = np.argpartition(size, len(size) - at_most)[len(size) - at_most :]
        depth, index, owner = depth[largest], index[largest], owner[largest]
    order = np.argsort(-depth)
    return Order(index[order], owner[order])


def _candidates(appearance: Appearance, share: float) -> slice | NDArray[np.int32]:
    """Return a share of a splat's Gaussians, the largest, or all of them."""
    if share >= 1.0:
        return slice(None)
    splat = appearance.splat
    return splat.largest_first[: int(np.ceil(share * len(splat.gaussians)))]


def _seen(
    means: NDArray[np.float32], matrix: NDArray[np.float64], viewpoint: Viewpoint
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return depths (N,) and whether a mean lies before the eye, and near the picture (N,)."""
    projection = viewpoint.projection
    # Two rows for x and y in clip space, one for the depth.
    rows = np.stack([projection[0] @ matrix, projection[1] @ matrix, -matrix[2]])
    rows = rows.astype(np.float32)
    x, y, depth = (means @ row[:3] + row[3] for row in rows)
    if viewpoint.is_perspective:
        limit = MARGIN * depth
        return depth, (depth >= NEAR_PLANE) & (np.abs(x) <= limit) & (np.abs(y) <= limit)
    return depth, (np.abs(x) <= MARGIN) & (np.abs(y) <= MARGIN)


def _sizes(
    appearance: Appearance,
    matrix: NDArray[np.float64],
    depth: NDArray[np.float32],
    gaussians: NDArray[np.integer],
    viewpoint: Viewpoint,
) -> NDArray[np.float32]:
    """Return how much of the picture Gaussians cover, weighed by opacity, in any unit (K,)."""
    scale = float(np.cbrt(abs(np.linalg.det(matrix[:3, :3]))))
    areas = appearance.splat.areas[gaussians] * np.float32(scale * scale)
    return areas / depth**2 if viewpoint.is_perspective else areas


def depth_range(appearances: Sequence[Appearance], viewpoint: Viewpoint) -> tuple[float, float]:
    """Return the depths before and behind which 1 % of all Gaussians lie that are seen."""
    depths = []
    for appearance in appearances:
        matrix = viewpoint.world_to_view @ appearance.matrix
        depth, seen = _seen(appearance.splat.gaussians.means, matrix, viewpoint)
        depths.append(depth[seen])
    together = np.concatenate(depths) if depths else np.zeros(0)
    if not len(together):
        return 1.0, 2.0
    near, far = np.percentile(together, (1, 99))
    return float(near), float(max(far, near + 1e-6))
