# SPDX-License-Identifier: GPL-3.0-or-later
"""Import a capture: cameras, photos and sparse points below a root that makes it upright.

COLMAP solved it, or a program that writes a transforms.json.

Importing a dataset again brings its capture in line with the files. Everything is read before
anything is changed, so that a damaged file leaves the scene as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import bpy
import numpy as np
from bpy.props import BoolProperty, FloatProperty, StringProperty

from ...errors import CgcError
from ..common.access import of_collection, of_scene
from ..common.buttons import layout_of
from ..common.context import members_of, scene_of, window_manager_of
from ..common.spoken import spoken
from .camera_objects import load_photos, show_cameras
from .cameras import camera_data, intrinsics_of, set_scene_for
from .files import CaptureFiles, dataset_of, read_capture
from .first_look import first_look
from .later_versions import check_version
from .parts import captures, new_capture, new_root, objects_of_kind, root_of
from .sparse_points import new_sparse_points, show_sparse_points

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems
    from bpy.types import (
        Collection,
        Context,
        Event,
        Menu,
        Scene,
    )


_POINT_SIZE = 0.003
"""Radius of sparse points in extents of the capture."""
_ROOT_SIZE = 0.2
"""Length of the root's arrows, likewise."""


def import_colmap(
    context: Context,
    folder: Path,
    *,
    points: bool = True,
    photos_as_background: bool = True,
    frustum_size: float = 0.0,
    warn: Callable[[str], object] = lambda text: None,
) -> Collection:
    """Import a dataset into the scene, or update the capture that was imported from it.

    Updating keeps the root's transform, visibility, names and whatever else a person made.

    Args:
        context: whose scene.
        folder: a dataset, the folder of a COLMAP model, one of the model's files, or a
            transforms.json.
        points: import the sparse points, too.
        photos_as_background: show each photo behind its camera.
        frustum_size: how large cameras are drawn, scene units; 0 chooses.
        warn: is given what the user should know, a sentence at a time.

    Returns:
        The capture's collection.

    Raises:
        CgcError: the files cannot be used, or a later version of the extension wrote the capture;
            nothing has changed.
    """
    scene = scene_of(context)
    capture = capture_of_dataset(scene, dataset_of(folder))
    if capture is not None:
        check_version(capture)
    # What is there already keeps its place.
    origin = None if capture is None else np.array(of_collection(capture).map_origin, np.float64)
    files = read_capture(folder, origin)
    images = load_photos(files) if photos_as_background else None
    radius = _POINT_SIZE * files.extent
    has_points = points and len(files.points) > 0
    cloud = new_sparse_points(files.points, files.point_colors, radius) if has_points else None

    is_first = not any(objects_of_kind(capture, "CAMERA") for capture in captures(scene))
    if capture is None:
        capture = new_capture(scene, files.dataset.name, files.up)
        of_collection(capture).map_origin = files.origin.tolist()
        root_of(capture).empty_display_size = _ROOT_SIZE * files.extent
        _make_active(context, capture)
    _mend_root(capture, files)
    cameras = show_cameras(capture, files, images, frustum_size)
    if cloud is not None:
        show_sparse_points(capture, cloud)

    of_collection(capture).dataset = of_scene(scene).dataset = str(files.dataset)
    if scene.camera is None:
        scene.camera = cameras[0]
    intrinsics = intrinsics_of(camera_data(cameras[0]))
    if is_first and intrinsics is not None:
        set_scene_for(scene, intrinsics)
    for warning in files.warnings:
        warn(warning)
    return capture


def capture_of_dataset(scene: Scene, dataset: Path) -> Collection | None:
    """Return the scene's capture that came from a dataset folder."""
    wanted = dataset.resolve()
    for capture in captures(scene):
        stored = of_collection(capture).dataset
        if stored and Path(bpy.path.abspath(stored)).resolve() == wanted:
            return capture
    return None


def _mend_root(capture: Collection, files: CaptureFiles) -> None:
    """Make a new root if it was deleted, and hang onto it what has lost it."""
    try:
        root_of(capture)
    except CgcError:
        root = new_root(capture, files.up)
        for kind in ("CAMERA", "POINTS", "SPLAT"):
            for item in objects_of_kind(capture, kind):
                item.parent = item.parent or root


def _make_active(context: Context, capture: Collection) -> None:
    """Select the root of a new capture and nothing else, as importers do; not while editing."""
    layer, root = members_of(context).view_layer, root_of(capture)
    if layer is None or (layer.objects.active and layer.objects.active.mode != "OBJECT"):
        return
    layer.update()  # it does not know the new objects yet
    if root.name not in layer.objects:  # the collection is excluded
        return
    for item in list(layer.objects.selected):
        item.select_set(False, view_layer=layer)
    root.select_set(True, view_layer=layer)
    layer.objects.active = root


class CGC_OT_import_colmap(bpy.types.Operator):  # noqa: N801 - Blender's convention
    """`cgc.import_colmap`."""

    bl_idname = "cgc.import_colmap"
    bl_label = "Import COLMAP"
    bl_description = "Import cameras, photos and points of a COLMAP model or a transforms.json"
    bl_options = {"REGISTER", "UNDO", "PRESET"}  # noqa: RUF012 - Blender's convention

    if TYPE_CHECKING:
        filepath: str
        filter_glob: str
        points: bool
        photos_as_background: bool
        frustum_size: float
        hide_lines: bool
    else:
        filepath: StringProperty(
            name="File Path",
            description=(
                "The dataset's folder, that of its model, a file of it, or a transforms.json"
            ),
            subtype="FILE_PATH",
            options={"HIDDEN", "SKIP_PRESET", "SKIP_SAVE"},
        )
        filter_glob: StringProperty(default="*.bin;*.txt;*.json", options={"HIDDEN"})
        points: BoolProperty(
            name="Sparse Points",
            description="Import the points of the reconstruction",
            default=True,
        )
        photos_as_background: BoolProperty(
            name="Background Photos",
            description="Show each photo behind the scene when looking through its camera",
            default=True,
        )
        frustum_size: FloatProperty(
            name="Camera Size",
            description="How large cameras are drawn; 0 chooses a size that fits the capture",
            subtype="DISTANCE",
            min=0.0,
            soft_max=10.0,
            default=0.0,
        )
        hide_lines: BoolProperty(
            name="Hide Parent Lines",
            description=(
                "Switch off Relationship Lines, here dashes from every camera to the root, in the "
                "viewports of this window"
            ),
            default=True,
        )

    def invoke(self, context: Context, event: Event) -> set[OperatorReturnItems]:
        """Ask for a folder; if a file was dropped, for the options only."""
        windows = window_manager_of(context)
        if self.filepath:
            return windows.invoke_props_dialog(self, title=self.filepath, confirm_text="Import")
        windows.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        """Import and say what came in."""
        try:
            with first_look(context, scene_of(context), hide_lines=self.hide_lines):
                capture = import_colmap(
                    context,
                    Path(bpy.path.abspath(self.filepath)),
                    points=self.points,
                    photos_as_background=self.photos_as_background,
                    frustum_size=self.frustum_size,
                    warn=lambda text: self.report({"WARNING"}, spoken(text)),
                )
        except CgcError as error:
            self.report({"ERROR"}, spoken(error))
            return {"CANCELLED"}
        count = len(objects_of_kind(capture, "CAMERA"))
        self.report({"INFO"}, f"{capture.name}: {count} cameras")
        return {"FINISHED"}


class CGC_FH_import_colmap(bpy.types.FileHandler):  # noqa: N801 - Blender's convention
    """Files of a COLMAP model, or a transforms.json, that are dropped on the viewport."""

    bl_idname = "CGC_FH_import_colmap"
    bl_label = "COLMAP Capture"
    bl_import_operator = "cgc.import_colmap"
    bl_file_extensions = ".bin;.txt;.json"

    @classmethod
    def poll_drop(cls, context: Context) -> bool:
        """Take files over the viewport only."""
        area = members_of(context).area
        return area is not None and area.type == "VIEW_3D"


def _menu_entry(menu: Menu, _context: Context) -> None:
    layout_of(menu).operator(CGC_OT_import_colmap.bl_idname, text="COLMAP Capture, transforms.json")


CLASSES = (CGC_OT_import_colmap, CGC_FH_import_colmap)


def register() -> None:
    """Add the operator, its entry in File > Import and dropping files on the viewport."""
    for cls in CLASSES:
        bpy.utils.register_class(cls)
    bpy.types.TOPBAR_MT_file_import.append(_menu_entry)


def unregister() -> None:
    """Take them away again."""
    bpy.types.TOPBAR_MT_file_import.remove(_menu_entry)
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
