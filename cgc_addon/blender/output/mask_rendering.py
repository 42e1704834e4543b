# SPDX-License-Identifier: GPL-3.0-or-later
"""Segment masks of the scene as it stands: what the worker is given to draw, and what it gives.

Moments at which nothing has moved share one splat. The scene is read when its turn comes, so that
a long animation takes room for one splat at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ...cgc.segments import Segment, Segments, write_segments
from ...dataset.cameras_json import write_cameras_json
from ...dataset.scene import View
from ...errors import CgcError
from ...splats.ply import write_ply
from ..capture.parts import active_capture
from ..common.context import scene_of
from .mask_files import LABELS, SEGMENTS, RenderedMaskSettings, check_files, listed_for_others
from .mask_splat import splat_and_segments, state_of
from .mask_views import capture_frame, chosen_cameras, frame_kept, view_at_frame, views_of
from .placed_splats import visible_splats

if TYPE_CHECKING:
    from bpy.types import Context, Scene


@dataclass(frozen=True, eq=False)
class Batch:
    """Views that see one splat."""

    frame: int | None
    """Frame of the scene to read the splat at; None: as the scene stands."""
    views: tuple[View, ...]


@dataclass(frozen=True, eq=False)
class Drawing:
    """One batch as files, ready for the worker."""

    batch: Batch
    arguments: tuple[str, ...]
    """Verb and arguments."""
    segments: Segments
    """What is in its splat."""


def plan(context: Context, settings: RenderedMaskSettings) -> tuple[Batch, ...]:
    """Say what has to be drawn, after checking that it can be.

    Raises:
        CgcError: there is no camera or nothing to see, or files exist that may not be overwritten.
    """
    cameras = chosen_cameras(context, settings.which)
    scene = scene_of(context)
    if settings.which == "FRAMES":
        batches = tuple(_over_time(context, scene))
    else:
        depsgraph = context.evaluated_depsgraph_get()
        if not visible_splats(depsgraph, visibility="RENDER"):
            raise CgcError(_nothing_to_see(scene, None))
        views = views_of(scene, cameras, depsgraph, capture_frame(context, depsgraph))
        batches = (Batch(None, views),)
    check_files(settings, [view for batch in batches for view in batch.views])
    return batches


def prepare(
    context: Context, settings: RenderedMaskSettings, batch: Batch, folder: Path
) -> Drawing:
    """Write what the worker needs to draw a batch: splat, cameras and segments.

    Args:
        context: whose scene is drawn; it shows the same frame afterwards.
        settings: as for `plan`.
        batch: one of the plan.
        folder: for the files, which the worker must find until it is done.

    Raises:
        CgcError: there is nothing to see any more, or a file cannot be written.
    """
    scene = scene_of(context)
    with nullcontext() if batch.frame is None else frame_kept(scene):
        if batch.frame is not None:
            scene.frame_set(batch.frame)
        depsgraph = context.evaluated_depsgraph_get()
        placed = visible_splats(depsgraph, visibility="RENDER")
        if not placed:
            raise CgcError(_nothing_to_see(scene, batch.frame))
        gaussians, segments = splat_and_segments(
            placed, active_capture(context), capture_frame(context, depsgraph)
        )
    # Labels need no colours and no features: files become a quarter of the size.
    bare = replace(gaussians, sh=gaussians.sh[:, :1], features=None)
    splat, cameras, names = folder / "splat.ply", folder / "cameras.json", folder / SEGMENTS
    write_ply(splat, bare)
    write_cameras_json(cameras, batch.views)
    write_segments(names, segments)
    arguments = ["render", str(splat), "--cameras", str(cameras), "--what", LABELS]
    arguments += ["--palette"] if settings.palette else []
    arguments += ["--segments", str(names), "--backend", settings.backend]
    return Drawing(batch, (*arguments, "-o", str(settings.folder)), segments)


def list_segments(settings: RenderedMaskSettings, drawn: Sequence[Drawing]) -> Segments:
    """Write segments.json for all that was drawn so far, and return what is in it.

    Where the folder holds label maps of other views, what was listed for them stays.

    Args:
        settings: as for `plan`.
        drawn: at least one; a segment that comes and goes has its largest count.

    Raises:
        CgcError: the file cannot be written.
    """
    largest: dict[int, Segment] = {}
    for drawing in drawn:
        for segment in drawing.segments.segments:
            known = largest.get(segment.id)
            if known is None or known.count < segment.count:
                largest[segment.id] = segment
    for segment in listed_for_others(settings, [v for d in drawn for v in d.batch.views]):
        largest.setdefault(segment.id, segment)
    together = Segments(tuple(largest[identifier] for identifier in sorted(largest)))
    write_segments(settings.folder / SEGMENTS, together)
    return together


def _over_time(context: Context, scene: Scene) -> Iterator[Batch]:
    """Yield runs of frames over which no splat moves."""
    state, first, views = None, scene.frame_start, []
    with frame_kept(scene):
        for frame in range(scene.frame_start, scene.frame_end + 1, scene.frame_step):
            scene.frame_set(frame)
            if scene.camera is None:
                raise CgcError(f"The scene has no active camera at frame {frame}; set one.")
            depsgraph = context.evaluated_depsgraph_get()
            placed = visible_splats(depsgraph, visibility="RENDER")
            if not placed:
                raise CgcError(_nothing_to_see(scene, frame))
            around = capture_frame(context, depsgraph)
            now = state_of(placed, around)
            if now != state:
                if views:
                    yield Batch(first, tuple(views))
                state, first, views = now, frame, []
            views.append(view_at_frame(scene, scene.camera, depsgraph, around))
    yield Batch(first, tuple(views))


def _nothing_to_see(scene: Scene, frame: int | None) -> str:
    when = "" if frame is None else f" at frame {frame}"
    return (
        f"No splat of the scene {scene.name} is visible in renders{when}; import a run, "
        "or switch segments on in the list or the Outliner."
    )
