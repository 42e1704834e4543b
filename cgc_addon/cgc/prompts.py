# SPDX-License-Identifier: GPL-3.0-or-later
"""Point at something in a view, get what it is: a segment, or all Gaussians with such features."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import CgcError
from .directions import unit

DEFAULT_COSINE = 0.7


def segment_at(
    label_map: NDArray[np.integer], column: float, row: float, *, radius: int = 2
) -> int:
    """Return the segment that a click means.

    Args:
        label_map: (H, W) rendered segment ids, 0 = none.
        column: x of the click, pixels from the left edge; pixel j spans j to j + 1.
        row: y of the click, pixels from the upper edge.
        radius: where nothing is under the click, the commonest id within this many pixels counts.

    Returns:
        The id, 0 where there is none.

    Raises:
        CgcError: the click is outside the view.

    Example:
        >>> label_map = np.array([[0, 0, 5], [0, 0, 5], [2, 2, 5]])
        >>> segment_at(label_map, 1.5, 2.5), segment_at(label_map, 1.5, 0.5, radius=1)
        (2, 5)
    """
    window, center = _window(label_map, column, row, radius)
    if center > 0:
        return int(center)
    nearby = window[window > 0]
    return int(np.bincount(nearby.reshape(-1)).argmax()) if nearby.size else 0


def prompt_feature(
    feature_map: NDArray[np.floating], column: float, row: float, *, radius: int = 2
) -> NDArray[np.float32]:
    """Return the mean direction of the rendered features around a click.

    Args:
        feature_map: (H, W, D) rendered features, any length.
        column: x of the click, pixels from the left edge.
        row: y of the click, pixels from the upper edge.
        radius: 2 averages 5×5 pixels, fewer at the edge of the view.

    Returns:
        (D,) length 1; 0 where nothing is rendered around the click.

    Raises:
        CgcError: the click is outside the view.
    """
    window, _ = _window(feature_map, column, row, radius)
    directions = unit(window.reshape(-1, feature_map.shape[2]))
    return unit(directions.mean(axis=0, keepdims=True))[0]


def select_by_feature(
    features: NDArray[np.floating],
    prompts: NDArray[np.floating],
    minimum_cosine: float = DEFAULT_COSINE,
) -> NDArray[np.bool_]:
    """Select the Gaussians whose features point the same way as any of the prompts.

    Args:
        features: (N, D) of the Gaussians, any length; feature 0 is never selected.
        prompts: (Q, D) or (D,) features asked for, any length.
        minimum_cosine: −1..1.

    Returns:
        (N,) whether each Gaussian is selected.
    """
    directions = unit(features)
    asked = unit(np.atleast_2d(prompts))
    asked = asked[asked.any(axis=1)]
    if not len(asked):
        return np.zeros(len(features), dtype=bool)
    nearest = np.max(directions @ asked.T, axis=1)
    return (nearest >= minimum_cosine) & directions.any(axis=1)


def _window(
    values: NDArray[Any], column: float, row: float, radius: int
) -> tuple[NDArray[Any], Any]:
    height, width = values.shape[:2]
    x, y = int(np.floor(column)), int(np.floor(row))
    if not (0 <= x < width and 0 <= y < height):
        raise CgcError(
            f"The click at ({column:g}, {row:g}) is outside the view of {width}×{height} pixels; "
            "click inside it."
        )
    window = values[max(0, y - radius) : y + radius + 1, max(0, x - radius) : x + radius + 1]
    return window, values[y, x]
