# SPDX-License-Identifier: GPL-3.0-or-later
"""The surfaces that one photo shows, as far as its neighbours show them, too."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from ...dataset.projection import project
from ...dataset.scene import View
from .neighbours import intrinsics, pair_matrix
from .patchmatch import LANES, NO_MATCH, improve_planes, prepare_patches, start_planes
from .surfaces import Surfaces

TURNS = 8
"""Half of them for cells of either colour; more change little."""
_FARTHER, _NEARER = 0.3, 1.5
"""Inverse depths are looked for between these times those of the sparse points."""
_MINIMUM_POINTS = 5


def surfaces_of(
    index: int,
    views: Sequence[View],
    greys: Sequence[NDArray[np.float32]],
    neighbours: NDArray[np.int64],
    sparse: NDArray[np.float64],
    stride: int,
    seed: int,
) -> Surfaces:
    """Find the surfaces of one photo.

    Args:
        index: of its view.
        views: cameras of the size of the photos.
        greys: luma (H, W) of each, 0..1.
        neighbours: indices of the views it is compared with.
        sparse: (P, 3) points; those in the picture tell near and far.
        stride: pixels between cells.
        seed: of the random depths.
    """
    view, grey = views[index], greys[index]
    rows, columns = (size // stride for size in grey.shape)
    found = Surfaces(
        np.zeros((rows, columns, 3), np.float32),
        np.full((rows, columns), NO_MATCH, np.float32),
        stride,
    )
    pixels, depths, seen = project(sparse, view)
    if not len(neighbours) or np.count_nonzero(seen) < _MINIMUM_POINTS:
        return found
    inverse = 1.0 / depths[seen]
    farthest, nearest = np.percentile(inverse, [2.0, 98.0]) * (_FARTHER, _NEARER)
    middles = found.middles(*np.indices((rows, columns)).reshape(2, -1))
    _, closest = KDTree(pixels[seen]).query(np.column_stack(middles))
    found.planes[..., 0] = inverse[closest].reshape(rows, columns)
    weights = np.zeros((rows, columns, LANES), np.float32)
    patches = np.zeros((rows, columns, LANES), np.float32)
    prepare_patches(grey, stride, weights, patches)
    images, sizes = _stacked([greys[other] for other in neighbours])
    pairs = np.stack([pair_matrix(view, views[other]) for other in neighbours])
    compared = (images, sizes, pairs)
    depth_range = (np.float32(nearest), np.float32(farthest))
    start_planes(*compared, weights, patches, stride, *depth_range, seed, found.planes, found.costs)
    for turn in range(TURNS):
        improve_planes(
            *compared, intrinsics(view.camera), weights, patches, stride, *depth_range, seed, turn,
            found.planes, found.costs,
        )  # fmt: skip
    return found


def _stacked(
    pictures: Sequence[NDArray[np.float32]],
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Return pictures of any size as one array (V, H, W), and their heights and widths (V, 2)."""
    sizes = np.array([picture.shape for picture in pictures], dtype=np.int32)
    images = np.zeros((len(pictures), *sizes.max(axis=0)), np.float32)
    for image, picture in zip(images, pictures, strict=True):
        image[: picture.shape[0], : picture.shape[1]] = picture
    return images, sizes
