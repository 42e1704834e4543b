# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the origin of a splat is: what it turns and scales around. Nothing else of it changes.

An object that only stands somewhere in its parent's frame is counted from there: exactly what was
read from a file comes out again, whatever its origin.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import bpy
import numpy as np
from mathutils import Matrix
from numpy.typing import NDArray

from ...errors import CgcError
from ...splats.gaussians import Gaussians
from ...splats.placing import carried
from ..common.access import of_object
from ..common.display_attributes import sigmoid
from .objects import data_of, gaussians_of, means_in, opacities_of, write_means

if TYPE_CHECKING:
    from bpy.types import Object

AROUND = 3.0
"""What is so many times farther from the median than half of a splat is no part of its body."""
EDGES = (0.05, 0.95)
"""Shares of the opacity below which, on each axis, a body ends: what is beyond are floaters."""
FLOOR = 0.02
"""Likewise where it stands on the ground: a body is densest there."""
SAME_PLACE = 1e-6
"""Of the numbers in a matrix: Blender's are float32 and come out of products."""


def middle_of(
    positions: NDArray[np.floating], opacities: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Return the middle (3,) of a body: halfway between its edges, on each axis.

    Args:
        positions: (N, 3).
        opacities: (N,) how much each counts.
    """
    low, high = _edges(*_body(positions, opacities), EDGES)
    return (low + high) / 2.0


def base_of(
    positions: NDArray[np.floating], opacities: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Return the middle of what a body stands on (3,), Z up; arguments as `middle_of`."""
    place = middle_of(positions, opacities)
    place[2] = _edges(*_body(positions, opacities), (FLOOR,))[0, 2]
    return place


def own_middle(gaussians: Gaussians, turn: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return the middle (3,) of Gaussians in their frame, its edges along the axes of another.

    Args:
        gaussians: N of them.
        turn: (3, 3) from their frame to the other; one that is flat is not used.
    """
    if not len(gaussians):
        return np.zeros(3, np.float32)
    if _is_flat(turn):
        turn = np.eye(3)
    there = gaussians.means.astype(np.float64) @ turn.T
    middle = middle_of(there, sigmoid(gaussians.logit_opacities))
    return np.linalg.solve(turn, middle).astype(np.float32)


def offset_of(item: Object) -> NDArray[np.float64] | None:
    """Return where an object stands in its parent's frame (3,); None where it is more than that.

    What moves an object by itself, such as an animation, is not looked at.
    """
    basis = np.array(item.matrix_basis, dtype=np.float64)
    if not np.array_equal(basis[:3, :3], np.eye(3)):
        return None
    return basis[:3, 3] if item.matrix_parent_inverse == Matrix.Identity(4) else None


def stands_in(
    item: Object, world: NDArray[np.floating], frame: NDArray[np.floating]
) -> NDArray[np.float64] | None:
    """Return where an object stands in a frame (3,), if that is its parent's and nothing else is.

    Args:
        item: splat.
        world: (4, 4) where the object is.
        frame: (4, 4) where the frame is.
    """
    offset = offset_of(item)
    if offset is None:
        return None
    there = frame.astype(np.float64)
    there[:3, 3] += there[:3, :3] @ offset
    size = np.abs(world[:3, :3]).max()
    far = max(size, float(np.abs(world[:3, 3]).max()), size * float(np.abs(offset).max()))
    close = np.abs(world - there) <= SAME_PLACE * np.array([[size] * 3 + [far]])
    return offset if close.all() else None


def gaussians_in_frame(
    item: Object,
    world: NDArray[np.floating],
    frame: NDArray[np.floating],
    to_frame: NDArray[np.floating],
) -> Gaussians:
    """Return an object's Gaussians in a frame; to the last bit as they came if it is its parent's.

    Args:
        item: splat.
        world: (4, 4) where the object is.
        frame: (4, 4) where the frame is.
        to_frame: inverse of that.

    Raises:
        CgcError: a transform cannot be applied, or an attribute is lost.
    """
    offset = stands_in(item, world, frame)
    if offset is not None:
        return gaussians_of(item, offset)
    if item.parent is not None:
        outer = np.array(item.parent.matrix_world, dtype=np.float64)
        offset = stands_in(item, world, outer)
        if offset is not None:  # so that the place of the origin leaves no trace here either
            return carried(gaussians_of(item, offset), to_frame @ outer)
    return carried(gaussians_of(item), to_frame @ world)


def move_origin(item: Object, place: NDArray[np.floating]) -> None:
    """Put the origin of a splat somewhere else, while all that is seen stays where it is.

    Objects that share its data and those that hang on it stay where they are, too.

    Args:
        item: splat.
        place: (3,) in the frame that its location counts in, its parent's.

    Raises:
        CgcError: the splat cannot be changed, or is animated, or has a scale of zero.
    """
    cloud = data_of(item)
    sharing = [one for one in bpy.data.objects if one.data == cloud]
    for one in sharing:
        _check(one)
    offset, basis = offset_of(item), np.array(item.matrix_basis, dtype=np.float64)
    place = place.astype(np.float32).astype(np.float64)
    shift = np.linalg.solve(basis[:3, :3], place - basis[:3, 3])
    if offset is not None:
        write_means(cloud, means_in(cloud, offset), place)
    else:
        write_means(cloud, means_in(cloud, -shift))
    for one in sharing:
        known = of_object(one)
        as_built = offset is not None and np.array_equal(known.origin[:], offset)
        known.origin = (place if as_built else np.array(known.origin[:]) + shift).tolist()
        _shift(one, place if one == item else None, shift)


def world_positions(
    item: Object, world: NDArray[np.floating]
) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """Return positions (N, 3) in the world and opacities (N,) of a splat that is at a matrix."""
    positions = means_in(data_of(item)).astype(np.float64) @ world[:3, :3].T + world[:3, 3]
    return positions, opacities_of(data_of(item))


def _body(
    positions: NDArray[np.floating], weights: NDArray[np.floating]
) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Return those positions, and their weights, that lie around the median."""
    (median,) = _edges(positions, weights, (0.5,))
    distances = np.linalg.norm(positions - median, axis=1)
    near = distances <= AROUND * _reached(distances, weights, (0.5,))
    return positions[near], weights[near]


def _edges(
    positions: NDArray[np.floating], weights: NDArray[np.floating], shares: tuple[float, ...]
) -> NDArray[np.float64]:
    """Return where, on each axis, shares of the weight are reached: (shares, 3)."""
    return np.stack([_reached(along, weights, shares) for along in positions.T], axis=1)


def _reached(
    values: NDArray[np.floating], weights: NDArray[np.floating], shares: tuple[float, ...]
) -> NDArray[np.float64]:
    """Return the values, of (N,), up to which shares of the weight lie: (shares,)."""
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(np.maximum(weights[order], 1e-6), dtype=np.float64)
    rows = np.searchsorted(reached, np.array(shares) * reached[-1])
    return values[order[np.minimum(rows, len(order) - 1)]].astype(np.float64)


def _check(item: Object) -> None:
    if not (item.is_editable and data_of(item).is_editable):
        raise CgcError(f"{item.name} is linked from another file; make it local first.")
    if is_animated(item):
        raise CgcError(
            f"{item.name} is animated, so its origin cannot move; clear its animation first."
        )
    if _is_flat(np.array(item.matrix_basis, dtype=np.float64)[:3, :3]):
        raise CgcError(f"{item.name} has a scale of zero; give every axis a scale first.")


def _is_flat(linear: NDArray[np.floating]) -> bool:
    stretches = np.linalg.svd(linear, compute_uv=False)
    return bool(stretches[2] <= 1e-9 * stretches[0])


def is_animated(item: Object) -> bool:
    """Return whether something sets an object's transform with time."""
    animation = item.animation_data
    return animation is not None and bool(
        animation.action or animation.drivers or animation.nla_tracks
    )


def _shift(item: Object, place: NDArray[np.float64] | None, shift: NDArray[np.float64]) -> None:
    """Let an object stand `shift` (3,), in its own space, further on, its children where they were.

    Args:
        item: of any kind.
        place: (3,) where it comes to stand, if that is known exactly.
        shift: likewise.
    """
    basis = np.array(item.matrix_basis, dtype=np.float64)
    wanted = basis[:3, :3] @ shift + basis[:3, 3] if place is None else place
    item.location = (wanted - np.array(item.delta_location, dtype=np.float64)).tolist()
    back = Matrix.Translation((-shift).tolist())
    for child in item.children:
        child.matrix_parent_inverse = back @ child.matrix_parent_inverse
