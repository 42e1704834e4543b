# SPDX-License-Identifier: GPL-3.0-or-later
"""Which Gaussians are where in a picture, and what becomes of those that somebody chose there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from ...errors import CgcError
from ..capture.parts import capture_of, wanted_capture
from ..common.access import of_collection, of_scene
from ..common.context import members_of, scene_of, view_layer_of
from ..drawing.click_select import owner_objects
from ..drawing.seen import Seen, seen_in
from ..drawing.shown import Appearance, Viewpoint
from ..drawing.surfaces import Surfaces
from ..drawing.watch import shown_scene
from ..segments import edits, selection
from ..segments.choice import ACTIVE, capture_around, wanted_segment
from ..segments.data import collection_of, splats_of, unassigned
from ..segments.regrouping import is_editable

if TYPE_CHECKING:
    from bpy.types import Collection, Context, Object, SpaceView3D


@dataclass(frozen=True, eq=False)
class Spread:
    """The Gaussians of a capture as a picture shows them, those of objects one after the other."""

    items: tuple[Object, ...]
    """Splats that are shown; splats that cannot be changed are left out."""
    starts: tuple[int, ...]
    """Index of the first Gaussian of each, and the number of all."""
    places: NDArray[np.float64]
    """(N, 2) px from the left and from the lower edge; not a number behind the eye."""
    depths: NDArray[np.float64]
    """(N,) along the axis of view, scene units."""

    def chosen(self, mask: NDArray[np.bool_]) -> dict[Object, NDArray[np.bool_]]:
        """Return for each splat which of its Gaussians a mask (N,) means."""
        parts = np.split(mask, self.starts[1:-1])
        return {item: part for item, part in zip(self.items, parts, strict=True) if part.any()}

    def visible(self, seen: Seen) -> NDArray[np.bool_]:
        """Return which Gaussians (N,) are not hidden."""
        return seen.is_visible(self.places, self.depths)


def spread_out(context: Context, capture: Collection, viewpoint: Viewpoint) -> Spread:
    """Return where the Gaussians of a capture are that are shown.

    Raises:
        CgcError: none are.
    """
    items: list[Object] = []
    places, depths = [np.zeros((0, 2))], [np.zeros(0)]
    for item, appearance in _shown(context):
        fitting = collection_of(item) is not None and capture_of(item) == capture
        if item in items or not (fitting and is_editable(item)):
            continue
        items.append(item)
        to_view = viewpoint.world_to_view @ appearance.matrix
        means = appearance.splat.gaussians.means.astype(np.float64)
        points = means @ to_view[:3, :3].T + to_view[:3, 3]
        clip = points @ viewpoint.projection[:, :3].T + viewpoint.projection[:, 3]
        in_front = clip[:, 3] > 0.0
        with np.errstate(divide="ignore", invalid="ignore"):
            slopes = np.where(in_front[:, None], clip[:, :2] / clip[:, 3:], np.nan)
        places.append((slopes + 1.0) * (viewpoint.width / 2, viewpoint.height / 2))
        depths.append(-points[:, 2])
    if not items:
        raise CgcError(
            f"{capture.name} shows no splats; choose Look > Splats and unhide its segments."
        )
    starts = np.cumsum([0, *(len(part) for part in depths[1:])])
    return Spread(
        tuple(items),
        tuple(int(start) for start in starts),
        np.concatenate(places),
        np.concatenate(depths),
    )


def seen_from(context: Context, viewpoint: Viewpoint, surfaces: Surfaces) -> Seen:
    """Return what is seen from a viewpoint; takes about a second where it is not known."""
    wanted = _wanted(context, viewpoint)
    seen = surfaces.known(*wanted) or seen_in(*wanted)
    surfaces.keep(*wanted, seen)
    return seen


def keep_seen(context: Context, viewpoint: Viewpoint, surfaces: Surfaces, seen: Seen) -> None:
    """Keep what is seen after Gaussians went from segment to segment, which hides nothing."""
    view_layer_of(context).update()
    surfaces.keep(*_wanted(context, viewpoint), seen)


def capture_to_change(context: Context, mode: str) -> Collection:
    """Return the capture whose Gaussians change: that of the target, where one is meant.

    Raises:
        CgcError: there is none, or no target.
    """
    if mode == "ADD":
        return capture_around(context, wanted_target(context))
    return wanted_capture(context)


def wanted_target(context: Context) -> Collection:
    """Return the segment of the active object.

    Raises:
        CgcError: there is none.
    """
    try:
        target = wanted_segment(context, ACTIVE)
    except CgcError:
        target = None
    if target is None or of_collection(target).kind != "SEGMENT":
        raise CgcError(
            "No segment is active to add to: click one first (with Ctrl held), or choose New "
            "Segment."
        )
    return target


def put(
    context: Context,
    capture: Collection,
    chosen: Mapping[Object, NDArray[np.bool_]],
    mode: str,
) -> tuple[Collection, int]:
    """Move Gaussians where a mode of `STROKE_MODES` says, and make active where they are.

    Returns:
        The segment that has them now, or Unassigned, and how many were moved.

    Raises:
        CgcError: there is no target, or nothing is chosen that is not there already.
    """
    target = wanted_target(context) if mode == "ADD" else None
    if target is not None and target not in capture.children_recursive:
        raise CgcError(
            f"{target.name} is of another capture than what is there; make a segment of "
            f"{capture.name} active."
        )
    moving = {
        item: mask
        for item, mask in chosen.items()
        if collection_of(item) != target and not (mode == "UNASSIGN" and _is_unassigned(item))
    }
    count = sum(int(mask.sum()) for mask in moving.values())
    if not count:
        raise CgcError(
            "Nothing was moved: no Gaussians of other segments are seen there. Through takes "
            "hidden ones, too."
        )
    if mode == "NEW":
        _check_something_stays(moving)
    filled = edits.assign(capture, moving, unassigned(capture) if mode == "UNASSIGN" else target)
    if mode == "NEW":
        view_layer_of(context).update()  # else it does not know the new object
        selection.make_active(filled)
        if of_scene(scene_of(context)).stroke_mode == "NEW":  # go on with what was begun
            of_scene(scene_of(context)).stroke_mode = "ADD"
    return filled, count


def _is_unassigned(item: Object) -> bool:
    collection = collection_of(item)
    return collection is not None and of_collection(collection).kind == "UNASSIGNED"


def _check_something_stays(moving: Mapping[Object, NDArray[np.bool_]]) -> None:
    sources = {collection_of(item) for item in moving}
    source = sources.pop() if len(sources) == 1 else None
    if source is not None and of_collection(source).kind == "SEGMENT":
        whole = all(item in moving and moving[item].all() for item in splats_of(source))
        if whole:
            raise CgcError(f"That is all of {source.name}, which is a segment already.")


def _shown(context: Context) -> Sequence[tuple[Object, Appearance]]:
    """Return splats that are shown themselves, not as instances, and how."""
    return [
        (owner, appearance)
        for owner, appearance in _everything(context)
        if owner is not None and owner.type == "POINTCLOUD"
    ]


def _wanted(
    context: Context, viewpoint: Viewpoint
) -> tuple[tuple[Appearance, ...], Viewpoint, float]:
    appearances = tuple(appearance for _, appearance in _everything(context))
    return appearances, viewpoint, of_scene(scene_of(context)).look_size


def _everything(context: Context) -> list[tuple[Object | None, Appearance]]:
    space = cast("SpaceView3D | None", members_of(context).space_data)
    appearances = shown_scene().appearances(context.evaluated_depsgraph_get(), space)
    return list(zip(owner_objects(context, space), appearances, strict=True))
