# SPDX-License-Identifier: GPL-3.0-or-later
"""Which photos may show the same things, told by a few features of each.

Of all pairs of photos most show nothing in common, and comparing all features to find that out
takes ten times as long. The largest ones are found again from the farthest; those that are alike
say how the one photo would have to be moved, turned and enlarged to lie on the other, and where
photos show the same things, several say about the same (Lowe 2004, section 7.3).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..database import Features

LOOKED_AT = 1000
"""Features of each photo, the largest ones."""
FEWEST = 2000
"""Of a photo with fewer all are compared at once: that takes little longer."""
_RATIO = 0.85
"""A feature is another one if the next best is farther from it by so much (Lowe 2004, 7.1)."""
_LARGEST_ANGLE = 0.7
"""Between the descriptors of the two, radians."""
_MOST_MATCHES = 100
"""The most distinct ones are asked; of photos with so many a few are enough."""
_TURN, _SCALE = np.radians(30.0), 2.0
"""Two matches agree if what they say differs by so much at most …"""
_NEAR, _GROWING = 0.04, 0.4
"""… and each is where the other says, but for so much of the photo and of their distance: things
have depth, so that no one similarity holds all over a photo."""
_IN_ACCORD = 4
"""Matches, one and those that agree with it. Photos of different things have two or three."""
_UNIT = 512.0
"""Length of COLMAP's descriptors."""


def may_overlap(first: Features, second: Features) -> bool:
    """Say whether two photos may show the same things, and all their features are to be compared.

    Args:
        first: up to `LOOKED_AT` features of the one photo.
        second: of the other.
    """
    if min(first.total, second.total) < FEWEST:
        return True
    here, there = _distinct_matches(first.descriptors, second.descriptors)
    extent = float(np.ptp(second.places, axis=0).max())
    accord = _largest_accord(
        _complex(first.places[here]), _complex(first.axes[here]),
        _complex(second.places[there]), _complex(second.axes[there]), _NEAR * extent,
    )  # fmt: skip
    return accord >= _IN_ACCORD


def _distinct_matches(
    first: NDArray[np.uint8], second: NDArray[np.uint8]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return which descriptors (F, 128) are nearest to each other, by far, the most distinct first.

    Returns:
        Positions in the first and in the second, (M,) each, M up to `_MOST_MATCHES`.
    """
    one, two = (each.astype(np.float32) / np.float32(_UNIT) for each in (first, second))
    cosines = one @ two.T
    nearest = cosines.argmax(axis=1)
    best = cosines[np.arange(len(one)), nearest]
    here = np.flatnonzero(best == cosines.max(axis=0)[nearest])
    there, best = nearest[here], best[here]
    cosines[here, there] = -1.0
    next_best = np.maximum(cosines.max(axis=1)[here], cosines.max(axis=0)[there])
    angles, next_angles = (np.arccos(np.clip(each, -1.0, 1.0)) for each in (best, next_best))
    distinct = np.flatnonzero((angles < _RATIO * next_angles) & (angles < _LARGEST_ANGLE))
    ratios = angles[distinct] / next_angles[distinct]
    kept = distinct[np.argsort(ratios, kind="stable")[:_MOST_MATCHES]]
    return here[kept], there[kept]


def _largest_accord(
    places: NDArray[np.complex128],
    axes: NDArray[np.complex128],
    other_places: NDArray[np.complex128],
    other_axes: NDArray[np.complex128],
    near: float,
) -> int:
    """Return how many matches agree with the one that most agree with, itself among them.

    Numbers are points of the plane, x + iy, so that a factor turns and enlarges.

    Args:
        places: (M,) px in the one photo.
        axes: (M,) px, see `Features`.
        other_places: (M,) px in the other photo.
        other_axes: (M,) px.
        near: px that a feature may always be off in the other photo.
    """
    if not len(places):
        return 0
    factors = other_axes / axes
    differences = factors[None, :] / factors[:, None]
    told = factors[:, None] * (places[None, :] - places[:, None])
    errors = np.abs(other_places[:, None] + told - other_places[None, :])
    scales = np.abs(differences)
    agree = (scales < _SCALE) & (scales * _SCALE > 1.0)
    agree &= differences.real > np.cos(_TURN) * scales
    agree &= errors < near + _GROWING * np.abs(told)
    return int(agree.sum(axis=1).max())


def _complex(points: NDArray[np.float32]) -> NDArray[np.complex128]:
    """Return points (N, 2) as x + iy, (N,)."""
    return points[:, 0] + 1j * points[:, 1].astype(np.float64)
