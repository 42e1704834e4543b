# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the surface bends between two pieces: outwards within a thing, inwards where two meet.

A cup on a saucer, fruit in a bowl, a box on a table meet in a concave edge; the sides of one box
meet in a convex one (Stein et al. 2014, local convexity). It is the one sign of a border that does
not come from masks.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from ..surface import Surface


def bends(
    surfaces: Iterable[Surface | None], shown: Iterable[NDArray[np.int32]], count: int
) -> NDArray[np.float32]:
    """Return how the surface bends between every two pieces.

    With mean points P and mean normals N of two pieces, their bend is
    (N₁ − N₂) · (P₁ − P₂) / |P₁ − P₂|, within −1..1.

    Args:
        surfaces: of all views.
        shown: for each, the piece (P,) of each sampled pixel, 0 = none.
        count: K pieces.

    Returns:
        (K, K) symmetric: above 0 convex, below concave, 0 flat, or where nothing is known.

    Example:
        >>> points = np.array([[0.0, 0, 0], [1, 0, 0]], np.float32)
        >>> roof = np.array([[-0.6, 0.8, 0], [0.6, 0.8, 0]], np.float32)
        >>> surface = Surface(points, roof, np.ones(2, np.float32))
        >>> round(float(bends([surface], [np.array([1, 2], np.int32)], 2)[0, 1]), 3)
        1.0
    """
    points, normals = np.zeros((count + 1, 3)), np.zeros((count + 1, 3))
    weights = np.zeros(count + 1)
    for surface, pieces in zip(surfaces, shown, strict=True):
        if surface is None:
            continue
        weights += np.bincount(pieces, surface.weights, minlength=count + 1)
        for axis in range(3):
            for sums, values in ((points, surface.points), (normals, surface.normals)):
                sums[:, axis] += np.bincount(
                    pieces, surface.weights * values[:, axis], minlength=count + 1
                )
    known = weights[1:] > 0
    points = points[1:] / np.maximum(weights[1:], 1e-30)[:, None]
    normals = normals[1:] / np.maximum(np.linalg.norm(normals[1:], axis=1), 1e-30)[:, None]
    bend = np.zeros((count, count))
    square = np.zeros((count, count))
    for axis in range(3):
        apart = points[:, None, axis] - points[None, :, axis]
        bend += (normals[:, None, axis] - normals[None, :, axis]) * apart
        square += apart**2
    bend = np.clip(bend / np.sqrt(np.maximum(square, 1e-30)), -1, 1)
    return np.where(known[:, None] & known[None, :], bend, 0).astype(np.float32)
