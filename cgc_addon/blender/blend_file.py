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

from ..errors import CgcError
from ..files import replacing
from ..progress import Progress, Reporter, silent
from . import migration, properties
from .capture.first_look import first_look
from .capture.import_colmap import import_colmap
from .capture.parts import objects_of_kind, segment_collections
from .common.access import of_collection, of_scene
from .common.context import scene_of
from .segments.build import build_segments
from .segments.import_run import import_run
from .segments.run_files import read_run
from .splats import stand_in_switch

if TYPE_CHECKING:
    from bpy.types import Collection, Object, PointCloud


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
        with first_look(bpy.context, scene_of(bpy.context)):
            capture = _import(run, dataset, say)
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
