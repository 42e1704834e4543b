# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether points stand alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree


def fewer_within(
    places: NDArray[np.floating], reach: NDArray[np.floating], others: KDTree, count: int
) -> NDArray[np.bool_]:
    """Say of which places fewer than `count` of the others are within reach.

    Args:
        places: (N, 3).
        reach: (N,) how far others may be.
        others: of the points that are counted.
        count: at least 1.
    """
    # The distance of the last one that matters is found some times sooner than all of them.
    distances, _ = others.query(places, k=count, workers=-1)
    return distances.reshape(len(places), count)[:, -1] > reach
