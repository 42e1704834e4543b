# SPDX-License-Identifier: GPL-3.0-or-later
"""Segments as Blender has them: one collection each, with the point clouds of its Gaussians."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, cast

import bpy
import numpy as np
from numpy.typing import NDArray

from ...cgc.segments import distinct_colors
from ...errors import CgcError
from ...splats.gaussians import Gaussians
from ..capture.parts import mark, objects_in, part, segment_collections
from ..common.access import of_collection
from ..common.context import preferences_of
from ..splats.objects import data_of, indices_of, is_splat, new_splat
from ..splats.origins import own_middle
from .run_files import HIGHEST_SEGMENT

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import CollectionColorItems
    from bpy.types import Collection, Object

PARTS = ("SEGMENT", "UNASSIGNED")
"""Kinds of collections that hold Gaussians."""
_AUTOMATIC_NAME = re.compile(r"Segment \d{3,}(\.\d{3,})?")


def splats_of(collection: Collection) -> list[Object]:
    """Return the splats of a segment: also those in collections that a person put inside it."""
    return [item for item in _objects_of(collection) if is_splat(item)]


def count_of(collection: Collection) -> int:
    """Return how many Gaussians a segment has."""
    return sum(len(data_of(item).points) for item in splats_of(collection))


def all_segments(capture: Collection) -> list[Collection]:
    """Return the collections that hold a capture's Gaussians, the unassigned ones last."""
    return [
        *segment_collections(capture),
        *(c for c in capture.children_recursive if of_collection(c).kind == "UNASSIGNED"),
    ]


def collection_of(item: Object) -> Collection | None:
    """Return the segment or Unassigned collection that an object is in, None if in none."""
    for outer in (*item.users_collection, *bpy.data.collections):
        if of_collection(outer).kind in PARTS and item in _objects_of(outer):
            return outer
    return None


def new_segment(
    capture: Collection, identifier: int, name: str, color: tuple[float, float, float]
) -> Collection:
    """Make the collection of a segment, empty.

    Args:
        capture: whose.
        identifier: 1..65535, used by no other segment of the capture.
        name: wanted; Blender may shorten or number it.
        color: sRGB, 0..1.
    """
    collection = bpy.data.collections.new(name)
    properties = of_collection(collection)
    mark(collection, "SEGMENT")
    properties.segment = identifier
    properties.color = color
    capture.children.link(collection)
    return collection


def unassigned(capture: Collection) -> Collection:
    """Return the collection of Gaussians that belong to no segment; it is made if missing."""
    return part(capture, "UNASSIGNED", "Unassigned")


def add_splat(
    collection: Collection,
    root: Object,
    gaussians: Gaussians,
    index: NDArray[np.int32],
    clusters: NDArray[np.int32],
) -> Object:
    """Put a new splat into a segment's collection, at its place in the capture.

    Its origin is its own middle, so that it turns and scales where it stands.

    Args:
        collection: of a segment, or Unassigned; gives the name.
        root: of the capture.
        gaussians: N Gaussians in the capture's frame.
        index: (N,) which Gaussian of the run's splat each is.
        clusters: (N,) cluster each belongs to.
    """
    turn = np.array(root.matrix_basis, dtype=np.float64)[:3, :3]
    origin = own_middle(gaussians, turn).astype(np.float64)
    item = new_splat(collection.name, gaussians, index, clusters, origin)
    item.parent = root
    collection.objects.link(item)
    return item


def remove_segment(collection: Collection) -> None:
    """Take a segment's Gaussians away, and its collection unless a person put more into it."""
    for item in splats_of(collection):
        remove_splat(item)
    if of_collection(collection).kind != "SEGMENT":
        return
    if collection.objects or collection.children:
        of_collection(collection).kind = "NONE"
        collection.color_tag = "NONE"
    else:
        bpy.data.collections.remove(collection)


def remove_splat(item: Object) -> None:
    """Remove a splat, and its data unless another object shows the same."""
    data = item.data
    bpy.data.objects.remove(item)
    if data is not None and data.users - int(data.use_fake_user) <= 0:
        bpy.data.batch_remove([data])


def free_identifiers(capture: Collection, count: int) -> list[int]:
    """Return the lowest numbers, as many as wanted, that no segment of a capture has.

    Raises:
        CgcError: more than 65,535 segments would be there.
    """
    taken = {of_collection(c).segment for c in segment_collections(capture)}
    free = (number for number in range(1, HIGHEST_SEGMENT + 1) if number not in taken)
    found = list(islice(free, count))
    if len(found) < count:
        raise CgcError(
            f"{capture.name} would have more than {HIGHEST_SEGMENT} segments, "
            "which label maps cannot tell apart; lower their number first."
        )
    return found


def number_apart(capture: Collection) -> None:
    """Give each segment a number of its own: a duplicated collection has that of its original."""
    taken = set()
    for collection in segment_collections(capture):
        settings = of_collection(collection)
        if settings.segment in taken:
            settings.segment = free_identifiers(capture, 1)[0]
        taken.add(settings.segment)


def automatic_color(identifier: int) -> tuple[float, float, float]:
    """Return the sRGB colour, 0..1, of a segment before a person chooses one."""
    red, green, blue = _palette(-(-identifier // 64) * 64)[identifier - 1]
    return float(red) / 255, float(green) / 255, float(blue) / 255


def has_automatic_name(collection: Collection) -> bool:
    """Return whether nobody has named this segment yet, wherever one might have done so."""
    if of_collection(collection).named:
        return False
    return _AUTOMATIC_NAME.fullmatch(collection.name) is not None


def has_automatic_color(collection: Collection) -> bool:
    """Return whether a segment still has the colour that goes with its number."""
    properties = of_collection(collection)
    return bool(np.allclose(properties.color, automatic_color(properties.segment), atol=2e-3))


def rename(collection: Collection, name: str) -> None:
    """Name a segment; its objects that were called like it follow."""
    former = collection.name
    collection.name = name
    for item in splats_of(collection):
        if re.fullmatch(rf"{re.escape(former)}(\.\d{{3,}})?", item.name):
            item.name = collection.name
            data_of(item).name = collection.name


def tag_color(collection: Collection) -> None:
    """Give a collection the colour tag of the outliner whose hue is nearest to its colour."""
    tags = preferences_of(bpy.context).themes[0].collection_color
    wanted = _hue(of_collection(collection).color)
    nearest = max(range(len(tags)), key=lambda number: float(wanted @ _hue(tags[number].color[:])))
    collection.color_tag = cast("CollectionColorItems", f"COLOR_{nearest + 1:02d}")


@dataclass(frozen=True, eq=False)
class Copies:
    """Which Gaussians of a capture are there more than once, as copied objects make them."""

    index: NDArray[np.int32]
    """In the run's splat, rising."""

    def within(self, collection: Collection) -> bool:
        """Return whether a segment has some of them."""
        return any(
            bool(np.isin(indices_of(item), self.index).any()) for item in splats_of(collection)
        )


def copies(capture: Collection) -> Copies:
    """Find the Gaussians of a capture that are there more than once."""
    indices = [indices_of(item) for item in objects_in(capture) if is_splat(item)]
    together = np.concatenate([np.zeros(0, np.int32), *indices])
    index, counts = np.unique(together, return_counts=True)
    return Copies(index[counts > 1])


def _objects_of(collection: Collection) -> Iterator[Object]:
    yield from collection.objects
    for child in collection.children:
        if of_collection(child).kind == "NONE":
            yield from _objects_of(child)


@lru_cache(maxsize=4)
def _palette(count: int) -> NDArray[np.uint8]:
    return distinct_colors(count)


def _hue(color: Iterable[float]) -> NDArray[np.float64]:
    """Return the direction in which a colour (r, g, b) leaves grey; zero for greys."""
    values = np.array(tuple(color), np.float64)[:3]
    values = values - values.mean()
    return values / max(float(np.linalg.norm(values)), 1e-9)
