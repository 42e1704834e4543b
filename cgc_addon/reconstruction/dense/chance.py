# SPDX-License-Identifier: GPL-3.0-or-later
"""Points that a few photos agree on by chance, far from all others: on nothing, before dark walls.

They are few, but a training that starts on them keeps them: each covers a dark spot in the photos
it was matched in, and something else in those from elsewhere.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from ...dataset.nearness import fewer_within

_REACH = 0.25
"""How far others are looked for, times the distance to the nearest camera."""
_FEWEST_MATCHED = 50
"""Within reach, itself among them: a real surface that cameras see is matched in hundreds."""
_FEWEST_SPARSE = 2
"""Of the points that cameras were found by; a single one may be wrong."""


def stand_alone(
    points: NDArray[np.floating], centers: NDArray[np.floating], sparse: NDArray[np.floating]
) -> NDArray[np.bool_]:
    """Say which matched points (N,) are on no surface, since too few others are near.

    Args:
        points: (N, 3) that photos were matched at, scene units.
        centers: (V, 3) of the cameras, one at least.
        sparse: (P, 3) that cameras were found by, one at least.
    """
    if not len(points):
        return np.zeros(0, dtype=np.bool_)
    places = np.asarray(points, dtype=np.float64)
    reach = _REACH * KDTree(centers).query(places, workers=-1)[0]
    alone = fewer_within(places, reach, KDTree(sparse), _FEWEST_SPARSE)
    alone[alone] = fewer_within(places[alone], reach[alone], KDTree(places), _FEWEST_MATCHED)
    return alone
