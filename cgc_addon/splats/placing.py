# SPDX-License-Identifier: GPL-3.0-or-later
"""Parts of one splat that stand here and there, put together again."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .gaussians import Gaussians
from .transform import transform

IDENTITY = 1e-7
"""Matrices closer to the identity than this leave float32 positions as they are."""


def carried(gaussians: Gaussians, matrix: NDArray[np.floating]) -> Gaussians:
    """Return Gaussians carried over by a matrix; where it moves nothing, to the last bit as before.

    Args:
        gaussians: N Gaussians.
        matrix: (4, 4) in column convention.

    Raises:
        CgcError: as `transform`.

    Example:
        >>> from cgc_addon.splats.initialise import gaussians_from_points
        >>> one = gaussians_from_points(np.eye(1, 3), np.zeros((1, 3), np.uint8))
        >>> carried(one, np.eye(4)) is one
        True
    """
    if np.allclose(matrix, np.eye(4), rtol=0.0, atol=IDENTITY):
        return gaussians
    return transform(gaussians, matrix)


def source_order(index: NDArray[np.integer]) -> NDArray[np.intp] | None:
    """Return how to sort Gaussians as they stood in the splat that they came from.

    Args:
        index: (N,) place of each in that splat.

    Returns:
        Places (N,) in the order wanted; None where they are to stay as they are: in order already,
        or there twice, as copies and several splats are.

    Example:
        >>> source_order(np.array([2, 0, 1])), source_order(np.array([1, 0, 1]))
        (array([1, 2, 0]), None)
    """
    order = np.argsort(index, kind="stable")
    steps = np.diff(index[order])
    if (steps == 0).any() or (np.diff(index) > 0).all():
        return None
    return order
