# SPDX-License-Identifier: GPL-3.0-or-later
"""What is seen where in a whole region, coarsely: which splat, and how deep one sees into it.

NumPy alone, so that it may run beside the window. A picture of cells instead of pixels, drawn from
front to back until next to nothing comes through; by the rules of `rasterize.interface`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ...rasterize.rules import ALPHA_MINIMUM
from .ordering import Order, back_to_front
from .pick import SEEN, Ellipses, ellipses_of
from .shown import FARTHEST, Appearance, Viewpoint

HIDDEN = 0.1
"""A Gaussian is hidden where no more than this share of its light reaches the eye."""
_OPAQUE = 0.02
"""Where no more light than this passes, what is behind is left out."""
MOST_CELLS = 60_000
"""In a region; more would take longer than a user waits."""
_MOST_SUMS = 1 << 23
"""How much each appearance covers of each cell: so many numbers at most."""
_AT_ONCE = 1 << 19
"""Alphas that are calculated at once."""


@dataclass(frozen=True, eq=False)
class Seen:
    """What each cell of a region shows, the lowest row of cells first."""

    cell: float
    """Width and height of a cell, px."""
    appearances: NDArray[np.int32]
    """(H, W) index of the appearance that covers most, −1 where less than half is covered."""
    depths: NDArray[np.float32]
    """(H, W) beyond which everything is hidden, scene units; infinite where nothing is."""

    def is_visible(
        self, places: NDArray[np.floating], depths: NDArray[np.floating]
    ) -> NDArray[np.bool_]:
        """Return which of N points are in the region and not hidden.

        Args:
            places: (N, 2) px from the left and from the lower edge.
            depths: (N,) scene units.
        """
        height, width = self.depths.shape
        with np.errstate(invalid="ignore"):
            columns, rows = np.floor(places / self.cell).T
            inside = (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
        visible = np.zeros(len(places), bool)
        at = rows[inside].astype(np.intp), columns[inside].astype(np.intp)
        visible[inside] = depths[inside] <= self.depths[at] * (1.0 + 1e-5)
        return visible


def seen_in(
    appearances: Sequence[Appearance],
    viewpoint: Viewpoint,
    size: float = 1.0,
    most_cells: int = MOST_CELLS,
) -> Seen:
    """Return what is seen in a region.

    Args:
        appearances: all that is drawn.
        viewpoint: from where.
        size: factor on the standard deviations, as in the look.
        most_cells: of the answer; cells are never smaller than pixels.
    """
    pixels = viewpoint.width * viewpoint.height
    most_cells = max(1, min(most_cells, _MOST_SUMS // max(1, len(appearances))))
    cell = max(1.0, float(np.ceil(np.sqrt(pixels / most_cells))))
    width, height = (max(1, int(np.ceil(n / cell))) for n in (viewpoint.width, viewpoint.height))
    # The lens of so many whole cells: the last ones may reach beyond the region.
    stretch = np.diag([viewpoint.width / (cell * width), viewpoint.height / (cell * height), 1, 1])
    stretch[0, 3], stretch[1, 3] = stretch[0, 0] - 1.0, stretch[1, 1] - 1.0
    coarse = replace(
        viewpoint, projection=stretch @ viewpoint.projection, width=width, height=height
    )
    order = back_to_front(appearances, coarse, size=size)
    order = Order(order.gaussians[::-1], order.appearances[::-1])
    passing = np.ones(width * height)
    weights = np.zeros(width * height * max(1, len(appearances)), np.float32)
    depths = np.full(width * height, np.inf, np.float32)
    ellipses = _in_order(appearances, order, coarse, size)
    boxes = _boxes(ellipses, width, height)
    ends = np.cumsum((boxes[:, 1] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 2]))
    first = 0
    while first < len(ends):
        before = int(ends[first - 1]) if first else 0
        last = max(first + 1, int(np.searchsorted(ends, before + _AT_ONCE)))
        rows, cells = _cells(boxes[first:last], width)
        open_ones = passing[cells] > _OPAQUE
        rows, cells = first + rows[open_ones], cells[open_ones]
        dx = cells % width + 0.5 - ellipses.places[rows, 0]
        dy = cells // width + 0.5 - ellipses.places[rows, 1]
        alphas = ellipses.alphas(rows, dx, dy)
        covering = alphas >= ALPHA_MINIMUM
        rows, cells, alphas = rows[covering], cells[covering], alphas[covering]
        by_cell = np.argsort(cells, kind="stable")
        rows, cells, alphas = rows[by_cell], cells[by_cell], alphas[by_cell]
        before_each, after = _passing(cells, alphas, passing)
        places = cells * len(appearances) + order.appearances[rows]
        weights += np.bincount(places, before_each - after, len(weights)).astype(np.float32)
        ended = (before_each > HIDDEN) & (after <= HIDDEN)
        depths[cells[ended]] = ellipses.depths[rows[ended]]
        last_of_cell = np.flatnonzero(np.diff(cells, append=-1))
        passing[cells[last_of_cell]] = after[last_of_cell]
        first = last
    shares = weights.reshape(height, width, -1)
    shown = np.where(shares.sum(axis=2) >= SEEN, shares.argmax(axis=2), -1)
    return Seen(cell, shown.astype(np.int32), depths.reshape(height, width))


def _in_order(
    appearances: Sequence[Appearance], order: Order, viewpoint: Viewpoint, size: float
) -> Ellipses:
    """Project Gaussians (K,) of several appearances."""
    count = len(order)
    all_of_them = Ellipses(
        np.zeros((count, 2)), np.zeros((count, 2, 2)), np.zeros(count), np.zeros(count)
    )
    for number, appearance in enumerate(appearances):
        rows = np.flatnonzero(order.appearances == number)
        to_view = viewpoint.world_to_view @ appearance.matrix
        gaussians = appearance.splat.gaussians
        part = ellipses_of(gaussians, order.gaussians[rows], to_view, viewpoint, size)
        all_of_them.places[rows] = part.places
        all_of_them.covariances[rows] = part.covariances
        all_of_them.opacities[rows] = part.opacities
        all_of_them.depths[rows] = part.depths
    return all_of_them


def _boxes(ellipses: Ellipses, width: int, height: int) -> NDArray[np.int64]:
    """Return the first and the last but one column and row of what Gaussians may cover (K, 4)."""
    reach = np.log(np.maximum(ellipses.opacities / ALPHA_MINIMUM, 1.0))
    reach = np.minimum(np.sqrt(2.0 * reach), FARTHEST)
    limits = []
    for axis, most in ((0, width), (1, height)):
        radius = reach * np.sqrt(np.maximum(ellipses.covariances[:, axis, axis], 0.0))
        middle = ellipses.places[:, axis]
        limits.append(np.clip(np.ceil(middle - radius - 0.5), 0, most))
        limits.append(np.clip(np.floor(middle + radius - 0.5) + 1.0, 0, most))
    boxes = np.nan_to_num(np.stack(limits, axis=1)).astype(np.int64)
    boxes[:, 1] = np.maximum(boxes[:, 0], boxes[:, 1])
    boxes[:, 3] = np.maximum(boxes[:, 2], boxes[:, 3])
    return boxes


def _cells(boxes: NDArray[np.int64], width: int) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
    """Return all cells of boxes, one box after the other: which box, and which cell."""
    wide = boxes[:, 1] - boxes[:, 0]
    counts = wide * (boxes[:, 3] - boxes[:, 2])
    rows = np.repeat(np.arange(len(boxes)), counts)
    number = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
    y, x = np.divmod(number, np.maximum(wide, 1)[rows])
    return rows, (boxes[rows, 2] + y) * width + boxes[rows, 0] + x


def _passing(
    cells: NDArray[np.int64], alphas: NDArray[np.float64], passing: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the light that passes before and after each covering, front to back in each cell.

    Args:
        cells: (F,) rising.
        alphas: (F,).
        passing: of all cells, what came through so far.
    """
    logarithms = np.log1p(-alphas)
    total = np.cumsum(logarithms)
    starts = np.flatnonzero(np.diff(cells, prepend=-1))
    counts = np.diff(starts, append=len(cells))
    base = np.repeat((total - logarithms)[starts], counts)
    after = passing[cells] * np.exp(total - base)
    return passing[cells] * np.exp(total - logarithms - base), after
