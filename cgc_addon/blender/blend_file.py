# SPDX-License-Identifier: GPL-3.0-or-later
"""A run as a .blend of its own: cameras, points, one collection for each segment, a view of it all.

Nobody needs to have clicked anything: it is what the importers make of an empty scene.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

import bpy
import numpy as np
from mathutils import Vector
from numpy.typing import NDArray

from ..errors import CgcError
from ..files import replacing
from ..progress import Progress, Reporter, silent
from . import migration, properties
from .capture.import_colmap import import_colmap
from .capture.parts import objects_of_kind, segment_collections
from .common.access import of_collection, of_scene
from .common.context import scene_of
from .common.point_attributes import read
from .common.windows import viewports_in
from .common.world_matrix import world_matrix
from .segments.build import build_segments
from .segments.import_run import import_run
from .segments.run_files import read_run
from .splats import stand_in_switch

if TYPE_CHECKING:
    from bpy.types import Collection, Object, PointCloud, SpaceView3D


@dataclass(frozen=True)
class BlendSummary:
    """What a .blend holds."""

    cameras: int
    points: int
    """Sparse points of the reconstruction."""
    gaussians: int
    segments: int
    bytes: int


def write_blend(
    run: Path,
    dataset: Path | None,
    output: Path,
    report: Reporter = silent,
    say: Callable[[str], object] = lambda _sentence: None,
) -> BlendSummary:
    """Write a run as a .blend. What this Blender has open is given up for it.

    Args:
        run: run folder, or a splat.
        dataset: folder with cameras, points and photos; None: the one that the run was trained on,
            if it is still there.
        output: the .blend; an existing one is replaced.
        report: is told how far it is.
        say: is given what the user should know, a sentence at a time.

    Raises:
        CgcError: a file cannot be used or written; an existing .blend is as it was.
    """
    if output.suffix != ".blend":
        raise CgcError(f"{output} does not end in .blend; give the file a name that does.")
    with _registered():
        report(Progress("Writing the .blend", 0, 2))
        bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
        capture = _import(run, dataset, say)
        _show(capture)
        report(Progress("Writing the .blend", 1, 2))
        _save(output.absolute())
        report(Progress("Writing the .blend", 2, 2))
        return BlendSummary(
            cameras=len(objects_of_kind(capture, "CAMERA")),
            points=sum(_count(item) for item in objects_of_kind(capture, "POINTS")),
            gaussians=sum(_count(item) for item in objects_of_kind(capture, "SPLAT")),
            segments=len(segment_collections(capture)),
            bytes=output.stat().st_size,
        )


@contextmanager
def _registered() -> Iterator[None]:
    """Have the extension's properties for the time being, where it is not enabled anyway."""
    if hasattr(bpy.types.Scene, "cgc"):
        yield
        return
    properties.register()
    migration.register()
    stand_in_switch.register()  # which sees to what is saved
    try:
        yield
    finally:
        stand_in_switch.unregister()
        migration.unregister()
        properties.unregister()


def _import(run: Path, dataset: Path | None, say: Callable[[str], object]) -> Collection:
    """Fill the empty scene and return the capture."""
    scene = scene_of(bpy.context)
    if dataset is None:
        return import_run(bpy.context, scene, run, warn=say).capture
    files = read_run(run.absolute())
    for note in files.notes:
        say(note)
    capture = import_colmap(bpy.context, dataset.absolute(), warn=say)
    build_segments(scene, capture, files)
    return capture


def _show(capture: Collection) -> None:
    """Let every 3D viewport look from where the scene's camera stands, in the photos' colours."""
    scene = scene_of(bpy.context)
    # Other view transforms change the colours of photos.
    settings = scene.view_settings
    assert settings is not None
    # Blender reads what can be chosen here from a file.
    settings.view_transform = "Standard"  # pyright: ignore[reportAttributeAccessIssue]
    for view in viewports_in(area for screen in bpy.data.screens for area in screen.areas):
        view.shading.type = "SOLID"  # in which the extension draws splats as in any, and sooner
        # From the root to every camera: a bundle of them through the scene.
        view.overlay.show_relationship_lines = False
        _look_from(view, scene.camera, capture)


def _look_from(view: SpaceView3D, camera: Object | None, capture: Collection) -> None:
    """Put a viewport where a camera looks, turning around the middle of what the camera sees."""
    positions = _positions(capture)
    region = view.region_3d
    if region is None or not len(positions):
        return
    if camera is None:
        middle = np.median(positions, axis=0)
        region.view_location = Vector(middle.tolist())
        region.view_distance = 3.0 * float(np.percentile(_distances(positions, middle), 80))
    else:
        place = camera.matrix_world
        forward = np.array(place.to_quaternion() @ Vector((0.0, 0.0, -1.0)))
        ahead = (positions - np.array(place.translation)) @ forward
        distance = float(np.median(ahead[ahead > 0])) if (ahead > 0).any() else 1.0
        region.view_rotation = place.to_quaternion()
        region.view_location = place.translation + Vector((forward * distance).tolist())
        region.view_distance = 0.85 * distance  # in front of the frame that the camera draws
    reach = float(np.percentile(_distances(positions, np.median(positions, axis=0)), 99))
    view.clip_end = max(view.clip_end, 20.0 * reach)


def _positions(capture: Collection) -> NDArray[np.float64]:
    """Return the sparse points, else the Gaussians, (N, 3) in the world."""
    depsgraph = bpy.context.evaluated_depsgraph_get()
    items = objects_of_kind(capture, "POINTS") or objects_of_kind(capture, "SPLAT")
    places = [np.zeros((0, 3))]
    for item in items:
        local: NDArray[np.float32] = read(cast("PointCloud", item.data), "position")
        matrix = world_matrix(item, depsgraph)  # points are hidden where there are splats
        places.append(local @ matrix[:3, :3].T + matrix[:3, 3])
    return np.concatenate(places)


def _distances(positions: NDArray[np.float64], middle: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.linalg.norm(positions - middle, axis=1)


def _save(output: Path) -> None:
    """Save what is open, whole or not at all, with paths relative to the file."""
    _make_paths_relative(output.parent)
    with replacing(output) as temporary:
        try:
            # Compressed it would be a fifth smaller and take five times as long.
            bpy.ops.wm.save_as_mainfile(
                filepath=str(temporary),
                copy=True,
                compress=False,
                check_existing=False,
                relative_remap=False,
            )
        except RuntimeError as error:  # how operators report what went wrong
            reason = str(error).strip().removeprefix("Error: ").splitlines()[0]
            raise CgcError(f"{output} could not be written: {reason}") from error


def _make_paths_relative(folder: Path) -> None:
    for image in bpy.data.images:
        image.filepath = _relative(image.filepath, folder)
    for scene in bpy.data.scenes:
        settings = of_scene(scene)
        settings.dataset = _relative(settings.dataset, folder)
        settings.run = _relative(settings.run, folder)
    for collection in bpy.data.collections:
        settings = of_collection(collection)
        settings.dataset = _relative(settings.dataset, folder)
        settings.run = _relative(settings.run, folder)


def _relative(path: str, folder: Path) -> str:
    if not path or path.startswith("//") or Path(path).drive != folder.drive:
        return path
    return "//" + os.path.relpath(path, folder).replace("\\", "/")


def _count(item: Object) -> int:
    return len(cast("PointCloud", item.data).points)
