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

MATCHING_PHOTOS = "Matching photos"
"""Stage of the progress."""
LARGEST_PHOTO = 480
"""Longest side of the photos to look in, px: from more, points come closer than Gaussians begin."""
_CELLS = 400_000
"""Of all photos together; the time is in proportion."""
_SMALLEST_STRIDE = 2
_MOST_PHOTOS = 80
"""Of more, so many are taken at even distances."""


@dataclass(frozen=True, eq=False)
class Matching:
    """What comparing photos found."""

    surface: SurfacePoints
    gains: NDArray[np.float64]
    """(V,) how many times as bright as their mean the photos are, in sRGB.

    1 where they agree, or not all of them were compared."""


def match_photos(
    views: Sequence[View],
    photo: Callable[[int], NDArray[np.uint8]],
    sparse: NDArray[np.floating],
    *,
    seed: int = 0,
    report: Reporter = silent,
    should_stop: ShouldStop = never,
) -> Matching:
    """Find points on the surfaces that photos show alike.

    Args:
        views: cameras of the size of the photos.
        photo: gives the photo (H, W, 3) of a view, sRGB.
        sparse: (P, 3) points that tell how near and far things are, scene units.
        seed: of the random depths; the same gives the same points.
        report: progress.
        should_stop: asked before each photo.

    Returns:
        Points, none where no two photos agree, and how bright each photo is.

    Raises:
        Interrupted: `should_stop` said so.
    """
    from .agreement import agreed_cells
    from .exposure import photo_gains
    from .planes import surfaces_of

    count = len(views)
    chosen = np.linspace(0, count - 1, min(count, _MOST_PHOTOS)).astype(np.int64)
    photos = [photo(int(index)) for index in chosen]
    views = [views[index] for index in chosen]
    sparse = np.asarray(sparse, dtype=np.float64)
    scores = pair_scores(views, sparse)
    neighbours = choose_neighbours(scores)
    greys = [_luma(one) for one in photos]
    pixels = sum(grey.size for grey in greys)
    stride = max(_SMALLEST_STRIDE, int(np.ceil((pixels / _CELLS) ** 0.5)))
    surfaces = [
        surfaces_of(index, views, greys, neighbours[index], sparse, stride, seed)
        for index in track(range(len(views)), MATCHING_PHOTOS, report, should_stop)
    ]
    agreed = agreed_cells(views, surfaces, choose_witnesses(scores))
    colors = [np.zeros((0, 3), np.uint8)]
    for index, cells in enumerate(agreed):
        x, y = surfaces[index].middles(cells.rows, cells.columns)
        colors.append(photos[index][y.astype(np.int64), x.astype(np.int64)])
    nothing = np.zeros((0, 3))
    gains = np.ones(count)
    if len(chosen) == count:
        gains = photo_gains(views, photos, surfaces, neighbours)
    return Matching(
        SurfacePoints(
            np.concatenate([nothing, *(cells.points for cells in agreed)]).astype(np.float32),
            np.concatenate(colors),
            np.concatenate([nothing, *(cells.normals for cells in agreed)]).astype(np.float32),
        ),
        gains,
    )


def _luma(photo: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the luma (H, W) of a photo, 0..1 (Rec. 601)."""
    weights = np.array([0.299, 0.587, 0.114], np.float32) / np.float32(255.0)
    return np.ascontiguousarray(photo.astype(np.float32) @ weights)
