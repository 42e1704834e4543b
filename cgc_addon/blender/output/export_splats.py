# SPDX-License-Identifier: GPL-3.0-or-later
"""Splats as they stand in the scene, as files: one, or one for each segment."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import bpy
import numpy as np
from numpy.typing import NDArray

from ...errors import CgcError
from ...progress import Reporter, silent, track
from ...splats.formats import ENDINGS, WriteSettings
from ...splats.gaussians import Gaussians
from ...splats.write import write_splat
from ..capture.parts import active_capture, objects_in, root_of
from ..common.access import of_collection
from ..common.context import view_layer_of
from ..common.file_names import file_names
from ..common.webp import blender_codec
from ..common.world_matrix import world_matrix
from ..segments.data import collection_of
from .placed_splats import PlacedSplat, gather, visible_splats

if TYPE_CHECKING:
    from bpy.types import Collection, Context, Depsgraph, Object

CHOICES = (
    ("VISIBLE", "Visible", "Every splat that the viewport shows, as one file"),
    ("SELECTED", "Selected", "The selected splats, as one file"),
    ("SEGMENTS", "One File per Segment", "Every visible segment as a file of its own, in a folder"),
)
FRAMES = (
    (
        "UPRIGHT",
        "World, Upright",
        "As the scene stands, turned to the axes that other programs take such files to have",
    ),
    (
        "CAPTURE",
        "Capture",
        "Axes and units of the active capture: its cameras and photos still fit",
    ),
    ("Z_UP", "World, Z Up", "Axes and units of the scene itself"),
)
WRITING = "Writing files"
_UPRIGHT = np.array([[1, 0, 0, 0], [0, 0, 1, 0], [0, -1, 0, 0], [0, 0, 0, 1]], np.float64)
"""COLMAP's axes stood up in the world: x right, y down, z ahead. Formats with axes of their own are
turned from there."""


@dataclass(frozen=True)
class ExportSettings:
    """What to export, and how."""

    path: Path
    """The file; for segments, its name without ending is the folder's."""
    what: str = "VISIBLE"
    """One of `CHOICES`."""
    frame: str = "UPRIGHT"
    """One of `FRAMES`."""
    file: WriteSettings = field(default_factory=WriteSettings)
    """Which kind of file."""
    hidden: bool = False
    """Export hidden splats as well, those of excluded collections excepted."""
    collection: str = ""
    """Name of a collection to which to keep, empty: the whole scene."""


def export_splats(
    context: Context, settings: ExportSettings, report: Reporter = silent
) -> dict[Path, int]:
    """Write splats as they stand: transforms, instances and animation of this moment applied.

    Everything is gathered before the first file is written, and files come into place when all of
    them are whole.

    Args:
        context: Blender's.
        settings: what, and how.
        report: takes the progress of what takes long.

    Returns:
        Each file with the number of its Gaussians.

    Raises:
        CgcError: there is nothing to export, an object has a scale of zero, or a file cannot be
            written; what was there before is as it was.
    """
    depsgraph = context.evaluated_depsgraph_get()
    placed = _chosen(context, settings, depsgraph)
    frame, origin = _frame(context, settings, depsgraph), _origin(context, settings)
    if settings.what != "SEGMENTS":
        gaussians = gather(placed, frame)
        write_splat(settings.path, gaussians, settings.file, blender_codec(), report, origin=origin)
        return {settings.path: len(gaussians)}
    groups: dict[Collection | Object, list[PlacedSplat]] = {}
    for splat in placed:
        groups.setdefault(collection_of(splat.object) or splat.object, []).append(splat)
    names = file_names((owner.name for owner in groups), "segment")
    ending = ENDINGS[settings.file.format]
    parts = {
        f"{name}{ending}": gather(group, frame)
        for name, group in zip(names, groups.values(), strict=True)
    }
    return _write_folder(settings.path.with_suffix(""), parts, settings.file, report, origin)


def _chosen(
    context: Context, settings: ExportSettings, depsgraph: Depsgraph
) -> Sequence[PlacedSplat]:
    only: set[Object] | None = None
    nothing = "There is no splat to see; show one in the viewport, or export hidden ones as well."
    if settings.what == "SELECTED":
        only = set(view_layer_of(context).objects.selected)
        nothing = "No splat is selected; select the objects to export."
    if settings.collection:
        collection = bpy.data.collections.get(settings.collection)
        inside = set() if collection is None else set(objects_in(collection))
        only = inside if only is None else only & inside
        nothing = f"The collection {settings.collection} has no splat to export."
    placed = visible_splats(depsgraph, only, "ALL" if settings.hidden else "VIEWPORT")
    if not placed:
        raise CgcError(nothing)
    return placed


def _frame(
    context: Context, settings: ExportSettings, depsgraph: Depsgraph
) -> NDArray[np.float64] | None:
    """Return the world matrix (4, 4) of the frame to export in, None for the world."""
    if settings.frame == "Z_UP":
        return None
    capture = active_capture(context)
    if settings.frame == "UPRIGHT" or capture is None:
        return _UPRIGHT
    return world_matrix(root_of(capture), depsgraph)


def _origin(context: Context, settings: ExportSettings) -> NDArray[np.float64]:
    """Return what the frame to export in is relative to on the map (3,), scene units."""
    capture = active_capture(context)
    if settings.frame != "CAPTURE" or capture is None:
        return np.zeros(3)
    return np.array(of_collection(capture).map_origin, np.float64)


def _write_folder(
    folder: Path,
    parts: dict[str, Gaussians],
    settings: WriteSettings,
    report: Reporter,
    origin: NDArray[np.float64],
) -> dict[Path, int]:
    """Write files into a folder, all or none; others in it stay."""
    temporary = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
        for name, gaussians in track(list(parts.items()), WRITING, report):
            write_splat(temporary / name, gaussians, settings, blender_codec(), origin=origin)
        folder.mkdir(exist_ok=True)
        for name in parts:
            (temporary / name).replace(folder / name)
    except OSError as error:
        raise CgcError(
            f"{folder} could not be written: {error.strerror or error}; "
            "check free space and permissions of that folder, then export again."
        ) from error
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)
    return {folder / name: len(gaussians) for name, gaussians in parts.items()}
