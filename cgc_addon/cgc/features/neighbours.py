# SPDX-License-Identifier: GPL-3.0-or-later
"""Nearest neighbours of Gaussians in space."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def nearest_neighbours(means: NDArray[np.floating], count: int) -> NDArray[np.int64]:
    """Return the nearest other points of each point, nearest first.

    Args:
        means: (N, 3) scene units.
        count: k ≥ 1, neighbours of each point; fewer where N ≤ k.

    Returns:
        (N, min(k, N − 1)) indices; a point is never its own neighbour, not even among duplicates.
    """
    from scipy.spatial import KDTree

    count = min(count, len(means) - 1)
    if count < 1:
        return np.zeros((len(means), 0), dtype=np.int64)
    _, found = KDTree(means).query(means, k=count + 1, workers=-1)
    found = np.asarray(found, np.int64)
    itself = found == np.arange(len(means))[:, None]
    # Among duplicates a point may not find itself: then its farthest neighbour is dropped.
    itself[~itself.any(axis=1), -1] = True
    return found[~itself].reshape(len(means), count)
