# SPDX-License-Identifier: GPL-3.0-or-later
"""Where an object is in space, by points: so it is found again among other Gaussians.

A training numbers clusters anew and has other Gaussians, but the things stay where they are. NumPy
alone: Blender writes shapes, too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...splats.neighbours import nearest_within, typical_spacing

REACH = 2.5
"""Typical distances between Gaussians of the object, to which each of its points speaks for what
is around it."""

WHOLE_GROUP, NO_GROUP = 0.8, 0.05
"""Shares of a group's Gaussians that are inside: from the one on, and up to the other, the border
is that of the group, which was drawn by more than the nearest point."""


@dataclass(frozen=True, eq=False)
class Shape:
    """What is inside an object and what around it is not."""

    points: NDArray[np.float32]
    """(P, 3) scene units, in the frame of the run."""
    inside: NDArray[np.bool_]
    """(P,) whether each is of the object; others are of what is near."""

    @property
    def own(self) -> NDArray[np.float32]:
        """The points that are inside (Q, 3)."""
        return self.points[self.inside]


@dataclass(frozen=True, eq=False)
class Found:
    """An object found again among N Gaussians."""

    members: NDArray[np.bool_]
    """(N,)"""
    share: float
    """0..1 of the points of the object that have a member near."""


def shape_of(means: NDArray[np.floating], members: NDArray[np.bool_]) -> Shape:
    """Return the shape of an object.

    Args:
        means: (N, 3) of all Gaussians, scene units.
        members: (N,) which are of the object, one at least.

    Example:
        >>> means = np.array([[0, 0, 0], [1, 0, 0], [2, 0, 0], [90, 0, 0]], np.float32)
        >>> shape = shape_of(means, np.array([True, True, False, False]))
        >>> shape.points[:, 0].tolist(), shape.inside.tolist()
        ([0.0, 1.0, 2.0], [True, True, False])
    """
    own = np.ascontiguousarray(means[members], np.float32)
    others = np.flatnonzero(~members)
    near = others[nearest_within(own, means[others], _reach(own)) >= 0]
    points = np.concatenate([own, means[near].astype(np.float32)])
    return Shape(points, np.arange(len(points)) < len(own))


def find_again(
    shape: Shape, means: NDArray[np.floating], groups: NDArray[np.integer] | None = None
) -> Found:
    """Return which Gaussians are the object now.

    A Gaussian belongs to it where the nearest point of the shape does. Among the very Gaussians
    that the shape was taken from, these are just the same ones. Among others, what was grouped
    together stays together as far as the points leave that open.

    Args:
        shape: of the object.
        means: (N, 3) scene units.
        groups: (N,) cluster of each, 0 = none; None: nothing is known of them.
    """
    own = shape.own
    places, wanted = _as_one(means), _as_one(own)
    if np.isin(wanted, places).all():  # the very Gaussians
        return Found(np.isin(places, wanted), 1.0)
    reach = _reach(own)
    nearest = nearest_within(shape.points, means, reach)
    members = (nearest >= 0) & shape.inside[nearest]
    there = np.flatnonzero(members)
    if not len(there):
        return Found(members, 0.0)
    share = float((nearest_within(means[there], own, reach) >= 0).mean())
    if groups is not None:
        members = _with_groups(members, groups)
    return Found(members, share)


def _with_groups(members: NDArray[np.bool_], groups: NDArray[np.integer]) -> NDArray[np.bool_]:
    sizes = np.bincount(groups)
    inside = np.bincount(groups[members], minlength=len(sizes))
    share = inside / np.maximum(sizes, 1)
    small = inside < NO_GROUP * members.sum()
    whole, none = share >= WHOLE_GROUP, (share <= NO_GROUP) & small
    whole[0] = none[0] = False
    return (members | whole[groups]) & ~none[groups]


def _as_one(points: NDArray[np.floating]) -> NDArray[np.void]:
    """Return points (P, 3) as P things that are equal or not."""
    plain = np.ascontiguousarray(points + np.float32(0), np.float32)  # there is no −0
    return plain.view(np.dtype((np.void, plain.dtype.itemsize * 3)))[:, 0]


def _reach(points: NDArray[np.floating]) -> float:
    """Return how far points speak, scene units."""
    spread = float(np.ptp(points, axis=0).max()) if len(points) else 0.0
    return max(REACH * typical_spacing(points), 1e-3 * spread, float(np.finfo(np.float32).tiny))
