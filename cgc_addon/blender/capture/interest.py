# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a capture is to be seen first: where it is, how large, and from which side.

It is what most photos show, without what floats far from everything else. Cameras around a table
all see what is on it; a wall behind it is in some photos only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from ..common.access import of_camera
from ..common.point_attributes import read, read_or_none
from ..common.world_matrix import world_matrix
from .cameras import camera_data
from .parts import objects_in, objects_of_kind, segment_collections

if TYPE_CHECKING:
    from bpy.types import Collection, Depsgraph, PointCloud

MOST_POINTS = 20_000
"""That are looked at: more tell nothing new."""
MOST_CAMERAS = 200
OFTEN = 0.5
"""Points that so many times as many photos show as the most seen one count."""
FEWEST = 50
"""Points; where photos agree on fewer, all count."""
EDGES = (5.0, 95.0)
"""Percentiles between which, on each axis, what is of interest lies."""
SEEN_OPACITY = 0.3
"""More transparent Gaussians are haze."""


@dataclass(frozen=True, eq=False)
class Interest:
    """What is to be seen first, in the world."""

    points: NDArray[np.float64]
    """(N, 3)."""
    middle: NDArray[np.float64]
    """(3,)."""
    radius: float
    """Of a ball around the middle that holds most of it, > 0."""
    reach: float
    """Of a ball around the middle that holds nearly everything, ≥ radius."""
    side: NDArray[np.float64] | None
    """(3,) from the middle to a camera that shows it well; None where no camera does."""

    def turned(self) -> NDArray[np.float64]:
        """Return the turn (3, 3) of a level view from there: its columns point right, up, back."""
        assert self.side is not None
        back = self.side / np.linalg.norm(self.side)
        right = np.cross((0.0, 0.0, 1.0), back)
        if np.linalg.norm(right) < 1e-6:  # straight from above or below
            right = np.array((1.0, 0.0, 0.0))
        right = right / np.linalg.norm(right)
        return np.stack([right, np.cross(back, right), back], axis=1)

    def distance(self, turn: NDArray[np.float64], tangents: tuple[float, float]) -> float:
        """Return from how far a view must look at the middle to show most of it.

        Args:
            turn: (3, 3) of the view, as `turned` gives it.
            tangents: of half the angles that it sees, across and upright.
        """
        x, y, z = ((self.points - self.middle) @ turn).T
        aside = np.maximum(np.abs(x) / tangents[0], np.abs(y) / tangents[1])
        return max(float(np.percentile(aside + z, EDGES[1])), self.radius)


def interest_of(capture: Collection, depsgraph: Depsgraph) -> Interest | None:
    """Return what of a capture is to be seen first; None where it has neither points nor cameras.

    Args:
        capture: its segments count if it has any, else all its Gaussians, else its sparse points,
            else the cameras themselves.
        depsgraph: knows where things are.
    """
    eyes = _eyes(capture, depsgraph)
    positions = _positions(capture, depsgraph)
    if not len(positions):
        positions = np.array([eye.place for eye in eyes]).reshape(-1, 3)
    if not len(positions):
        return None
    chosen = positions[_often_seen(positions, eyes)]
    low, high = np.percentile(chosen, EDGES, axis=0)
    middle = (low + high) / 2.0
    radius = max(float(np.linalg.norm(high - low)) / 2.0, 1e-4)
    reach = float(np.percentile(np.linalg.norm(positions - middle, axis=1), 99.0))
    return Interest(chosen, middle, radius, max(radius, reach), _side(middle, eyes))


@dataclass(frozen=True, eq=False)
class _Eye:
    """A camera."""

    world: NDArray[np.float64]
    """(4, 4)."""
    half: tuple[float, float]
    """Tangents of half the angles it sees."""

    @property
    def place(self) -> NDArray[np.float64]:
        """(3,)."""
        return self.world[:3, 3]

    def sees(self, positions: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return which positions (N, 3) are in front of it and within its picture."""
        inverse = np.linalg.inv(self.world)
        x, y, z = (positions @ inverse[:3, :3].T + inverse[:3, 3]).T
        depth = -z
        return (
            (depth > 0.0) & (np.abs(x) < self.half[0] * depth) & (np.abs(y) < self.half[1] * depth)
        )


def _eyes(capture: Collection, depsgraph: Depsgraph) -> list[_Eye]:
    cameras = objects_of_kind(capture, "CAMERA")
    eyes = []
    for item in cameras[:: -(-len(cameras) // MOST_CAMERAS) or 1]:
        lens = of_camera(camera_data(item))
        world = world_matrix(item, depsgraph)
        if min(lens.width, lens.height, lens.fx, lens.fy) > 0 and np.linalg.det(world) != 0.0:
            eyes.append(_Eye(world, (lens.width / lens.fx / 2.0, lens.height / lens.fy / 2.0)))
    return eyes


def _positions(capture: Collection, depsgraph: Depsgraph) -> NDArray[np.float64]:
    """Return points (N, 3) in the world that stand for all there is."""
    segments = [item for one in segment_collections(capture) for item in objects_in(one)]
    splats = objects_of_kind(capture, "SPLAT")
    within = [item for item in splats if item in segments]
    items = within or splats or objects_of_kind(capture, "POINTS")
    total = sum(len(cast("PointCloud", item.data).points) for item in items)
    every = max(1, -(-total // MOST_POINTS))
    places = [np.zeros((0, 3))]
    for item in items:
        local = _solid(cast("PointCloud", item.data))[::every]
        matrix = world_matrix(item, depsgraph)
        places.append(local @ matrix[:3, :3].T + matrix[:3, 3])
    return np.concatenate(places)


def _solid(cloud: PointCloud) -> NDArray[np.float32]:
    """Return the positions (N, 3) of a cloud's points, of Gaussians those that are no haze."""
    positions: NDArray[np.float32] = read(cloud, "position")
    colors = read_or_none(cloud, "photo_color")
    if colors is None:
        return positions
    solid = positions[colors[:, 3] > SEEN_OPACITY]
    return solid if len(solid) else positions


def _often_seen(positions: NDArray[np.float64], eyes: list[_Eye]) -> NDArray[np.bool_]:
    """Return which positions (N,) most photos show; all where photos agree on too few."""
    counts = np.zeros(len(positions), np.int64)
    for eye in eyes:
        counts += eye.sees(positions)
    often = counts >= OFTEN * counts.max(initial=0)
    return often if often.sum() >= min(FEWEST, len(positions)) else np.ones(len(positions), bool)


def _side(middle: NDArray[np.float64], eyes: list[_Eye]) -> NDArray[np.float64] | None:
    """Return where (3,) a camera is that looks at the middle from a height as most do."""
    if not eyes:
        return None
    sides = np.array([eye.place - middle for eye in eyes])
    toward = sides / np.maximum(np.linalg.norm(sides, axis=1, keepdims=True), 1e-12)
    backs = np.array([eye.world[:3, 2] / np.linalg.norm(eye.world[:3, 2]) for eye in eyes])
    aim = np.arccos(np.clip((toward * backs).sum(axis=1), -1.0, 1.0))
    height = np.arcsin(np.clip(toward[:, 2], -1.0, 1.0))
    best = int(np.argmin(aim + np.abs(height - np.median(height))))
    return sides[best] if sides[best].any() else None
