# SPDX-License-Identifier: GPL-3.0-or-later
"""Photos with known cameras are compared: where surfaces are, and how bright each photo is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...dataset.scene import SurfacePoints, View
from ...progress import Reporter, ShouldStop, never, silent, track
from .neighbours import choose_neighbours, choose_witnesses, pair_scores
from .surfaces import Surfaces

MATCHING_PHOTOS = "Matching photos"
"""Stage of the progress."""
COMPARING_SURFACES = "Comparing surfaces"
"""The stage after it."""
_LARGEST_PHOTO = 480
"""Longest side of the photos to look in, px: from more, points come closer than Gaussians begin."""
_SMALLEST_PHOTO = 240
"""Of many photos, each may show less: together they show as much."""
_LARGE_PHOTOS = 80
"""So many are looked at in full size."""
_CELLS, _CELLS_OF_A_PHOTO = 400_000, 1_200
"""Of all photos together, and of each at least; the time is in proportion."""
_SMALLEST_STRIDE = 2


@dataclass(frozen=True, eq=False)
class Matching:
    """What comparing photos found."""

    surface: SurfacePoints
    gains: NDArray[np.float64]
    """(V,) how many times as bright as their mean the photos are, in sRGB; 1 where they agree."""


def photo_size(count: int) -> int:
    """Return the longest side, px, of the photos to look in where there are so many.

    Example:
        >>> photo_size(40), photo_size(125), photo_size(1000)
        (480, 384, 240)
    """
    share = min(1.0, (_LARGE_PHOTOS / max(count, 1)) ** 0.5)
    return max(_SMALLEST_PHOTO, round(_LARGEST_PHOTO * share))


def match_photos(
    views: Sequence[View],
    photo: Callable[[int], NDArray[np.uint8]],
    sparse: NDArray[np.floating],
    *,
    seed: int = 0,
    found: Sequence[Surfaces] = (),
    on_found: Callable[[Sequence[Surfaces]], None] = lambda _found: None,
    report: Reporter = silent,
    should_stop: ShouldStop = never,
) -> Matching:
    """Find points on the surfaces that photos show alike.

    Args:
        views: cameras of the size of the photos, see `photo_size`.
        photo: gives the photo (H, W, 3) of a view, sRGB.
        sparse: (P, 3) points that tell how near and far things are, scene units.
        seed: of the random depths; the same gives the same points.
        found: surfaces of the first photos, where an earlier call with the same arguments got as
            far.
        on_found: is given the surfaces of the photos so far, after each one.
        report: progress.
        should_stop: asked before each photo.

    Returns:
        Points, none where no two photos agree, and how bright each photo is.

    Raises:
        Interrupted: `should_stop` said so.
    """
    from .agreement import agreed_cells
    from .chance import stand_alone
    from .exposure import photo_gains
    from .planes import surfaces_of

    sparse = np.asarray(sparse, dtype=np.float64)
    scores = pair_scores(views, sparse)
    neighbours = choose_neighbours(scores)
    count = len(views)
    greys = [_luma(photo(index)) for index in range(count)]
    pixels = sum(grey.size for grey in greys)
    cells = max(_CELLS, _CELLS_OF_A_PHOTO * count)
    stride = max(_SMALLEST_STRIDE, int(np.ceil((pixels / cells) ** 0.5)))
    surfaces = list(found)
    left = range(len(surfaces), count)
    for index in track(left, MATCHING_PHOTOS, report, should_stop, before=len(surfaces)):
        surfaces.append(surfaces_of(index, views, greys, neighbours[index], sparse, stride, seed))
        on_found(surfaces)
    del greys
    rounds = track(range(count), COMPARING_SURFACES, report, should_stop)
    agreed = agreed_cells(views, surfaces, choose_witnesses(scores), rounds)
    colors = [np.zeros((0, 3), np.uint8)]
    for index, cells_there in enumerate(agreed):
        x, y = surfaces[index].middles(cells_there.rows, cells_there.columns)
        colors.append(photo(index)[y.astype(np.int64), x.astype(np.int64)])
    nothing = np.zeros((0, 3))
    points = np.concatenate([nothing, *(cells.points for cells in agreed)])
    normals = np.concatenate([nothing, *(cells.normals for cells in agreed)])
    kept = ~stand_alone(points, np.array([view.center() for view in views]), sparse)
    return Matching(
        SurfacePoints(
            points[kept].astype(np.float32),
            np.concatenate(colors)[kept],
            normals[kept].astype(np.float32),
        ),
        photo_gains(views, photo, surfaces, neighbours),
    )


def _luma(photo: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the luma (H, W) of a photo, 0..1 (Rec. 601)."""
    weights = np.array([0.299, 0.587, 0.114], np.float32) / np.float32(255.0)
    return np.ascontiguousarray(photo.astype(np.float32) @ weights)
