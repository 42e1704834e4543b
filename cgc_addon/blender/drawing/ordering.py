# SPDX-License-Identifier: GPL-3.0-or-later
"""In which order Gaussians are drawn: the farthest first, what cannot be seen left out.

NumPy alone, and without holding Python's lock for long, so that it may run beside the window.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...rasterize.rules import DILATION, NEAR_PLANE, SLOPE_MARGIN
from .shown import FARTHEST, Appearance, Viewpoint

STEEPEST = 1.0 + 2.0 * SLOPE_MARGIN
"""No slope that enters the Jacobian is more than this, in halves of the picture."""
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
    appearances: Sequence[Appearance],
    viewpoint: Viewpoint,
    at_most: int | None = None,
    size: float = 1.0,
) -> Order:
    """Return what is drawn from a viewpoint, sorted by the depth of the means.

    Args:
        appearances: what is shown.
        viewpoint: from where.
        at_most: draw only so many Gaussians, those that cover most of the picture.
        size: factor on all standard deviations.
    """
    total = sum(len(appearance.splat.gaussians) for appearance in appearances)
    share = 1.0 if at_most is None else CANDIDATES * at_most / max(total, 1)
    depths, indices, owners, sizes = [], [], [], []
    for number, appearance in enumerate(appearances):
        matrix = viewpoint.world_to_view @ appearance.matrix
        chosen = _candidates(appearance, share)
        splat = appearance.splat
        depth, seen = _seen(
            splat.gaussians.means[chosen], size * splat.reaches[chosen], matrix, viewpoint
        )
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
        covered = np.concatenate(sizes)
        largest = np.argpartition(covered, len(covered) - at_most)[len(covered) - at_most :]
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
    means: NDArray[np.float32],
    reaches: NDArray[np.float32],
    matrix: NDArray[np.float64],
    viewpoint: Viewpoint,
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return depths (N,) and whether a Gaussian may be seen: before the eye, and in the picture.

    Args:
        means: (N, 3) in the splat's space.
        reaches: (N,) how far from there a Gaussian is seen at most, in the splat's space.
        matrix: (4, 4) from there to the view.
        viewpoint: from where.
    """
    projection = viewpoint.projection
    # Two rows for x and y in clip space, one for the depth.
    rows = np.stack([projection[0] @ matrix, projection[1] @ matrix, -matrix[2]])
    rows = rows.astype(np.float32)
    x, y, depth = (means @ row[:3] + row[3] for row in rows)
    # How far beyond the edge a middle may lie, in clip space: no row of the Jacobian is longer, and
    # what the dilation adds is less than a pixel's deviation.
    stretch = float(np.linalg.norm(matrix[:3, :3], 2))
    edge = depth if viewpoint.is_perspective else np.float32(1.0)
    steep = STEEPEST if viewpoint.is_perspective else 0.0
    seen = depth >= NEAR_PLANE if viewpoint.is_perspective else np.ones(len(means), dtype=bool)
    sides = ((x, 0, viewpoint.width), (y, 1, viewpoint.height))
    for place, row, pixels in sides:
        slope = steep + abs(float(projection[row, 2]))
        wide = np.float32(stretch * np.hypot(projection[row, row], slope))
        dilated = np.float32(1.0 + 2.0 * FARTHEST * np.sqrt(DILATION) / pixels)
        seen &= np.abs(place) <= dilated * edge + wide * reaches
    return depth, seen


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
        splat = appearance.splat
        depth, seen = _seen(splat.gaussians.means, splat.reaches, matrix, viewpoint)
        depths.append(depth[seen])
    together = np.concatenate(depths) if depths else np.zeros(0)
    if not len(together):
        return 1.0, 2.0
    near, far = np.percentile(together, (1, 99))
    return float(near), float(max(far, near + 1e-6))
