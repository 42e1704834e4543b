# SPDX-License-Identifier: GPL-3.0-or-later
"""Export splats as they stand in the scene: as one PLY, or as one for each segment."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bpy
import numpy as np
from bpy.props import BoolProperty, EnumProperty, StringProperty
from bpy_extras.io_utils import ExportHelper
from numpy.typing import NDArray

from ...errors import CgcError
from ...splats.gaussians import Gaussians
from ...splats.ply import write_ply
from ..capture.parts import active_capture, objects_in, root_of
from ..common.buttons import layout_of
from ..common.context import view_layer_of
from ..common.file_names import file_names
from ..common.world_matrix import world_matrix
from ..segments.data import collection_of
from .placed_splats import PlacedSplat, gather, visible_splats

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems
    from bpy.types import Collection, Context, Depsgraph, Menu, Object

CHOICES = (
    ("VISIBLE", "Visible", "Every splat that the viewport shows, as one file"),
    ("SELECTED", "Selected", "The selected splats, as one file"),
    ("SEGMENTS", "One File per Segment", "Every visible segment as a file of its own, in a folder"),
)
FRAMES = (
    (
        "CAPTURE",
        "Capture",
        "Axes and units of the active capture: its cameras and photos still fit",
    ),
    ("WORLD", "World", "Axes and units of the scene, Z up"),
)


@dataclass(frozen=True)
class ExportSettings:
    """What to export, and how."""

    path: Path
    """The file; for segments, its name without ending is the folder's."""
    what: str = "VISIBLE"
    """One of `CHOICES`."""
    frame: str = "CAPTURE"
    """One of `FRAMES`."""
    hidden: bool = False
    """Export hidden splats as well, those of excluded collections excepted."""
    collection: str = ""
    """Name of a collection to which to keep, empty: the whole scene."""


def export_splats(context: Context, settings: ExportSettings) -> dict[Path, int]:
    """Write splats as they stand: transforms, instances and animation of this moment applied.

    Everything is gathered before the first file is written, and files come into place when all of
    them are whole.

    Returns:
        Each file with the number of its Gaussians.

    Raises:
        CgcError: there is nothing to export, an object has a scale of zero, or a file cannot be
            written; what was there before is as it was.
    """
    depsgraph = context.evaluated_depsgraph_get()
    placed = _chosen(context, settings, depsgraph)
    frame = _frame(context, settings, depsgraph)
    if settings.what != "SEGMENTS":
        gaussians = gather(placed, frame)
        write_ply(settings.path, gaussians)
        return {settings.path: len(gaussians)}
    groups: dict[Collection | Object, list[PlacedSplat]] = {}
    for splat in placed:
        groups.setdefault(collection_of(splat.object) or splat.object, []).append(splat)
    names = file_names((owner.name for owner in groups), "segment")
    parts = {
        f"{name}.ply": gather(group, frame)
        for name, group in zip(names, groups.values(), strict=True)
    }
    return _write_folder(settings.path.with_suffix(""), parts)


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
    capture = active_capture(context)
    if settings.frame == "WORLD" or capture is None:
        return None
    return world_matrix(root_of(capture), depsgraph)


def _write_folder(folder: Path, parts: dict[str, Gaussians]) -> dict[Path, int]:
    """Write files into a folder, all or none; others in it stay."""
    temporary = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
        for name, gaussians in parts.items():
            write_ply(temporary / name, gaussians)
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


class CGC_OT_export_ply(bpy.types.Operator, ExportHelper):  # noqa: N801  # pyright: ignore[reportIncompatibleMethodOverride]
    """`cgc.export_ply`."""

    bl_idname = "cgc.export_ply"
    bl_label = "Export Gaussian Splat"
    bl_description = "Export splats as they stand in the scene, for viewers and other programs"
    bl_options = {"REGISTER", "PRESET"}  # noqa: RUF012 - Blender's convention

    filename_ext = ".ply"
    if TYPE_CHECKING:
        filepath: str  # ExportHelper declares it
        filter_glob: str
        what: str
        frame: str
        include_hidden: bool
        collection: str
    else:
        filter_glob: StringProperty(default="*.ply", options={"HIDDEN"})
        what: EnumProperty(name="Export", items=CHOICES, default="VISIBLE")
        frame: EnumProperty(name="Frame", items=FRAMES, default="CAPTURE")
        include_hidden: BoolProperty(
            name="Include Hidden",
            description="Export hidden splats as well, but none of excluded collections",
            default=False,
        )
        collection: StringProperty(
            name="Collection",
            description="Export only what is in this collection; Blender sets it for its exporters",
            options={"HIDDEN", "SKIP_SAVE", "SKIP_PRESET"},
        )

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        """Export and say how much."""
        settings = ExportSettings(
            path=Path(bpy.path.abspath(self.filepath)),
            what=self.what,
            frame=self.frame,
            hidden=self.include_hidden,
            collection=self.collection,
        )
        try:
            written = export_splats(context, settings)
        except CgcError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        count = f"{sum(written.values()):,} Gaussians in"
        first = next(iter(written))
        place = f"{len(written)} files in {first.parent}" if self.what == "SEGMENTS" else first
        self.report({"INFO"}, f"{count} {place}")
        return {"FINISHED"}

    def draw(self, context: Context) -> None:
        """Draw the settings, in the file browser and for a collection's exporter."""
        layout = layout_of(self)
        layout.use_property_split, layout.use_property_decorate = True, False
        if not self.collection:
            layout.prop(self, "what")
        layout.prop(self, "frame")
        layout.prop(self, "include_hidden")


class CGC_FH_export_ply(bpy.types.FileHandler):  # noqa: N801 - Blender's convention
    """Lets a collection have this export among its exporters."""

    bl_idname = "CGC_FH_export_ply"
    bl_label = "Segmented Gaussian Splat"
    bl_export_operator = "cgc.export_ply"
    bl_file_extensions = ".ply"


def _menu_entry(menu: Menu, _context: Context) -> None:
    operator = CGC_OT_export_ply.bl_idname
    layout_of(menu).operator(operator, text="Segmented Gaussian Splat (.ply)")


CLASSES: tuple[type[Any], ...] = (CGC_OT_export_ply, CGC_FH_export_ply)


def register() -> None:
    """Add the operator, its entry in File > Export and the exporter of collections."""
    for cls in CLASSES:
        bpy.utils.register_class(cls)
    bpy.types.TOPBAR_MT_file_export.append(_menu_entry)


def unregister() -> None:
    """Take them away again."""
    bpy.types.TOPBAR_MT_file_export.remove(_menu_entry)
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
