# SPDX-License-Identifier: GPL-3.0-or-later
"""One splat of all that is seen, each Gaussian with the id that its segment has in label maps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...cgc.segments import Segment, Segments
from ...errors import CgcError
from ...splats.gaussians import FEATURE_DIMENSION, Gaussians
from ...splats.select import concatenate
from ..capture.parts import capture_of, segment_collections
from ..common.access import of_collection
from ..segments.data import HIGHEST_SEGMENT, automatic_color
from .placed_splats import PlacedSplat, gather

if TYPE_CHECKING:
    from bpy.types import Collection, Object

MOVED = 1e-6
"""Matrices whose numbers differ by less are those of one place."""


def state_of(placed: Sequence[PlacedSplat], frame: NDArray[np.float64]) -> list[object]:
    """Return what tells two moments apart: which splats there are, and where in the frame."""
    to_frame = np.linalg.inv(frame)
    places = ((np.round(to_frame @ splat.matrix / MOVED) + 0.0).tobytes() for splat in placed)
    return [(s.object.name_full, s.segment, p) for s, p in zip(placed, places, strict=True)]


def splat_and_segments(
    placed: Sequence[PlacedSplat], active: Collection | None, frame: NDArray[np.float64]
) -> tuple[Gaussians, Segments]:
    """Gather what is seen, and say what it is.

    Ids of the active capture stay as they are; those of others follow, since both begin at 1.
    """
    groups: dict[Collection | None, list[PlacedSplat]] = {active: []}
    for splat in placed:
        groups.setdefault(_capture_of(splat.object) or active, []).append(splat)
    parts, found, taken = [], [], 0
    for capture, splats in groups.items():
        if not splats:
            continue
        gathered = gather(splats, frame)
        ids = np.zeros(len(gathered), np.int32) if gathered.segments is None else gathered.segments
        named = {} if capture is None else _collections(capture)
        found += _described(ids, gathered.features, named, taken)
        parts.append(replace(gathered, segments=np.where(ids > 0, ids + taken, 0).astype(np.int32)))
        taken += max([int(ids.max(initial=0)), *named])
    if taken > HIGHEST_SEGMENT:
        raise CgcError(
            f"The captures that are visible have {taken} segments; label maps can tell "
            f"{HIGHEST_SEGMENT} apart: hide a capture, or merge segments."
        )
    return parts[0] if len(parts) == 1 else concatenate(parts), Segments(tuple(found))


def _capture_of(item: Object | None) -> Collection | None:
    """Return the capture of an object or, where someone took it out, that of what it hangs on."""
    while item is not None:
        if (found := capture_of(item)) is not None:
            return found
        item = item.parent
    return None


def _collections(capture: Collection) -> dict[int, Collection]:
    return {of_collection(c).segment: c for c in segment_collections(capture)}


def _described(
    ids: NDArray[np.int32],
    features: NDArray[np.float32] | None,
    named: dict[int, Collection],
    offset: int,
) -> Iterator[Segment]:
    """Yield the segments that labelled Gaussians belong to, named as in the scene.

    Args:
        ids: (N,) 0 = none.
        features: (N, 16), if they are known.
        named: collection of each id; others have the name that goes with their number.
        offset: added to ids.
    """
    for identifier in np.unique(ids[ids > 0]).tolist():
        collection = named.get(identifier)
        number = identifier + offset
        color = automatic_color(number) if collection is None else of_collection(collection).color
        red, green, blue = (round(255 * float(value)) for value in color)
        members = ids == identifier
        mean = np.zeros(FEATURE_DIMENSION)
        if features is not None:
            mean = features[members].mean(axis=0, dtype=np.float64)
            mean /= max(float(np.linalg.norm(mean)), 1e-30)
        yield Segment(
            number,
            f"Segment {number:03d}" if collection is None else collection.name,
            (red, green, blue),
            int(members.sum()),
            tuple(round(float(value), 6) for value in mean),
        )
