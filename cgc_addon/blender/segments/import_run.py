# SPDX-License-Identifier: GPL-3.0-or-later
"""Import a training run, or any splat: its Gaussians, one collection for each segment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import bpy
import numpy as np
from bpy.props import BoolProperty, EnumProperty, StringProperty

from ...errors import CgcError
from ...splats.read import SPLAT_ENDINGS
from ..capture.first_look import first_look
from ..capture.import_colmap import capture_of_dataset, import_colmap
from ..capture.parts import captures, new_capture, root_of
from ..common.access import of_collection, of_scene
from ..common.buttons import layout_of
from ..common.context import scene_of, view_layer_of, window_manager_of
from ..common.spoken import spoken
from ..common.windows import areas_of, viewports_in
from .build import Built, build_segments
from .choice import leave_edit_mode
from .run_files import RunFiles, read_run

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems
    from bpy.types import Collection, Context, Event, Menu, Scene

    _Operator = bpy.types.Operator
else:
    _Operator = object

UP_AXES = (
    ("NEGATIVE_Y", "−Y", "As COLMAP and most splats have it, their first photo held upright"),
    ("Y", "Y", "As most programs for games have it"),
    ("Z", "Z", "As Blender has it"),
)
_GLOB = ";".join(f"*{ending}" for ending in SPLAT_ENDINGS)
_DIRECTIONS = {"NEGATIVE_Y": (0.0, -1.0, 0.0), "Y": (0.0, 1.0, 0.0), "Z": (0.0, 0.0, 1.0)}


@dataclass(frozen=True)
class Imported:
    """What an import brought."""

    capture: Collection
    gaussians: int
    built: Built

    def sentence(self) -> str:
        """Return what to tell the user."""
        segments = self.built.kept + self.built.made
        text = f"{self.capture.name}: {self.gaussians:,} Gaussians in {segments} segments"
        if self.built.unassigned:
            text += f", {self.built.unassigned:,} of them in none"
        if self.built.kept:
            text += f"; {self.built.kept} segments are as they were"
        return text


def import_run(
    context: Context,
    scene: Scene,
    path: Path,
    *,
    up_axis: str = "NEGATIVE_Y",
    warn: Callable[[str], object] = lambda text: None,
) -> Imported:
    """Import a run into the capture of its dataset, which is imported first where it is missing.

    What was imported from that dataset, or that file, before is brought in line with the run.

    Args:
        context: Blender's.
        scene: where to.
        path: run folder, or a splat.
        up_axis: of `UP_AXES`; for a splat whose cameras are not known.
        warn: is given what the user should know, a sentence at a time.

    Raises:
        CgcError: the files cannot be used; nothing has changed.
    """
    run = read_run(path.absolute())
    for note in run.notes:
        warn(note)
    if context.mode == "EDIT_POINTCLOUD":  # of a splat that may be about to go
        leave_edit_mode(context)
    capture = _capture_of(scene, run)
    if capture is None:
        capture = _new_capture(context, scene, run, up_axis, warn)
    run = _in_frame_of(capture, run)
    built = build_segments(scene, capture, run)
    return Imported(capture, len(run.gaussians), built)


def show_colors(context: Context) -> bool:
    """Switch viewports from Solid, which shows no colours of points, to Material Preview.

    Splats that the extension draws have their colours everywhere.

    Returns:
        Whether there was one.
    """
    switched = False
    if of_scene(scene_of(context)).look_shape == "SPLATS":
        return switched
    for view in viewports_in(areas_of(context)):
        if view.shading.type == "SOLID":
            view.shading.type = "MATERIAL"
            switched = True
    return switched


def _capture_of(scene: Scene, run: RunFiles) -> Collection | None:
    """Return the capture that a run belongs to: by its dataset, else by where the run lies."""
    if run.dataset is not None:
        capture = capture_of_dataset(scene, run.dataset)
        if capture is not None:
            return capture
    for capture in captures(scene):
        stored = of_collection(capture).run
        if stored and Path(bpy.path.abspath(stored)).resolve() == run.path.resolve():
            return capture
    return None


def _in_frame_of(capture: Collection, run: RunFiles) -> RunFiles:
    """Return a run in the frame of a capture, which may be relative to another place on the map."""
    shift = run.origin - np.array(of_collection(capture).map_origin, np.float64)
    if not shift.any():
        return run
    means = (run.gaussians.means + shift).astype(np.float32)
    return replace(run, gaussians=replace(run.gaussians, means=means))


def _new_capture(
    context: Context,
    scene: Scene,
    run: RunFiles,
    up_axis: str,
    warn: Callable[[str], object],
) -> Collection:
    """Make the capture of a run, with cameras and points where its dataset is at hand."""
    if run.dataset is not None and run.dataset.is_dir():
        try:
            with context.temp_override(scene=scene):
                return import_colmap(bpy.context, run.dataset, warn=warn)
        except CgcError as error:
            warn(f"There are no cameras: {error}")
    elif run.dataset is not None:
        warn(f"There are no cameras: {run.dataset}, which the run was trained on, is gone.")
    capture = new_capture(scene, run.name, np.array(_DIRECTIONS[up_axis]))
    of_collection(capture).map_origin = run.origin.tolist()
    of_collection(capture).dataset = str(run.dataset or "")
    root, objects = root_of(capture), view_layer_of(context).objects
    if objects.get(root.name) == root:
        objects.active = root
    return capture


class ImportSegments(_Operator):
    """What importing a run and importing a splat have in common."""

    bl_options = {"REGISTER", "UNDO", "PRESET"}  # noqa: RUF012 - Blender's convention

    if TYPE_CHECKING:
        material_preview: bool
    else:
        material_preview: BoolProperty(
            name="Show in Color",
            description="Switch viewports in Solid mode, in which points have no colours, to "
            "Material Preview; the look Splats needs it not",
            default=True,
        )

    def import_from(
        self, context: Context, path: Path, up_axis: str = "NEGATIVE_Y"
    ) -> set[OperatorReturnItems]:
        """Import and report what came in, or why nothing did."""
        try:
            with first_look(context, scene_of(context)):
                imported = import_run(
                    context,
                    scene_of(context),
                    path,
                    up_axis=up_axis,
                    warn=lambda text: self.report({"WARNING"}, spoken(text)),
                )
        except CgcError as error:
            self.report({"ERROR"}, spoken(error))
            return {"CANCELLED"}
        if self.material_preview and not bpy.app.background:
            show_colors(context)
        self.report({"INFO"}, imported.sentence())
        return {"FINISHED"}


class CGC_OT_import_run(ImportSegments, bpy.types.Operator):  # noqa: N801 - Blender's convention
    """`cgc.import_run`."""

    bl_idname = "cgc.import_run"
    bl_label = "Import Segmented Splat Run"
    bl_description = "Import a training run: one collection for each object that was found"

    if TYPE_CHECKING:
        directory: str
        filter_folder: bool
    else:
        directory: StringProperty(
            name="Run Folder", subtype="DIR_PATH", options={"HIDDEN", "SKIP_SAVE"}
        )
        filter_folder: BoolProperty(default=True, options={"HIDDEN"})

    def invoke(self, context: Context, event: Event) -> set[OperatorReturnItems]:
        """Ask for the folder."""
        window_manager_of(context).fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        """Import the folder."""
        if not self.directory:
            self.report({"ERROR"}, "Choose the folder of a training run.")
            return {"CANCELLED"}
        return self.import_from(context, Path(bpy.path.abspath(self.directory)))


class CGC_OT_import_splat(ImportSegments, bpy.types.Operator):  # noqa: N801 - Blender's convention
    """`cgc.import_splat`."""

    bl_idname = "cgc.import_splat"
    bl_label = "Import Gaussian Splat"
    bl_description = "Import a Gaussian splat; its segments, if it has any, become collections"

    if TYPE_CHECKING:
        filepath: str
        filter_glob: str
        up_axis: str
    else:
        filepath: StringProperty(name="File Path", subtype="FILE_PATH", options={"SKIP_SAVE"})
        filter_glob: StringProperty(default=_GLOB, options={"HIDDEN"})
        up_axis: EnumProperty(
            name="Up", description="Axis of the splat that points up", items=UP_AXES
        )

    def invoke(self, context: Context, event: Event) -> set[OperatorReturnItems]:
        """Ask for options if a file was dropped, else for a file."""
        window_manager = window_manager_of(context)
        if self.filepath:
            return window_manager.invoke_props_dialog(self, title=Path(self.filepath).name)
        window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def draw(self, context: Context) -> None:
        """Show what can be chosen beside the file."""
        layout = layout_of(self)
        layout.use_property_split = True
        layout.prop(self, "up_axis")
        layout.prop(self, "material_preview")

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        """Import the file."""
        if not self.filepath:
            self.report({"ERROR"}, f"Choose a splat ({', '.join(SPLAT_ENDINGS)}).")
            return {"CANCELLED"}
        return self.import_from(context, Path(bpy.path.abspath(self.filepath)), self.up_axis)


class CGC_FH_import_splat(bpy.types.FileHandler):  # noqa: N801 - Blender's convention
    """Splats dropped on the viewport; Blender asks which importer is meant."""

    bl_idname = "CGC_FH_import_splat"
    bl_label = "Gaussian Splat"
    bl_import_operator = CGC_OT_import_splat.bl_idname
    bl_file_extensions = ";".join(SPLAT_ENDINGS)

    @classmethod
    def poll_drop(cls, context: Context) -> bool:
        """Take files over the viewport only."""
        return getattr(context.area, "type", None) == "VIEW_3D"


def _menu_entries(menu: Menu, _context: Context) -> None:
    layout = layout_of(menu)
    layout.operator(CGC_OT_import_run.bl_idname, text="Segmented Splat Run")
    endings = ", ".join(SPLAT_ENDINGS)
    layout.operator(CGC_OT_import_splat.bl_idname, text=f"Gaussian Splat ({endings})")


CLASSES = (CGC_OT_import_run, CGC_OT_import_splat, CGC_FH_import_splat)


def register() -> None:
    """Add the operators, their entries in File > Import, and dropping splats on the viewport."""
    for cls in CLASSES:
        bpy.utils.register_class(cls)
    bpy.types.TOPBAR_MT_file_import.append(_menu_entries)


def unregister() -> None:
    """Take them away again."""
    bpy.types.TOPBAR_MT_file_import.remove(_menu_entries)
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
