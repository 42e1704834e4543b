# SPDX-License-Identifier: GPL-3.0-or-later
"""Looking through the cameras of a capture, each at the size and shape of its photo."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import bpy

from ...errors import CgcError
from ..common.access import of_camera
from ..common.context import active_object_of, members_of, scene_of
from .cameras import camera_data, intrinsics_of, set_scene_for
from .parts import active_capture, objects_of_kind, wanted_capture

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems
    from bpy.types import Collection, Context, Object, SpaceView3D


def look_through(context: Context, camera_object: Object) -> None:
    """Make a camera the scene's, set the scene to its photo, and look through it where possible."""
    scene = scene_of(context)
    scene.camera = camera_object
    camera = intrinsics_of(camera_data(camera_object))
    if camera is not None:
        set_scene_for(scene, camera)
    space = members_of(context).space_data
    if space is not None and space.type == "VIEW_3D":
        region = cast("SpaceView3D", space).region_3d
        if region is not None:
            region.view_perspective = "CAMERA"


def neighbour(capture: Collection, camera_object: Object | None, step: int) -> Object:
    """Return the camera that is `step` photos after another one, in name order, round and round.

    Args:
        capture: whose cameras.
        camera_object: where to start; if it is none of them, the first or the last one is next.
        step: 1 or −1.

    Raises:
        CgcError: the capture has no cameras.
    """
    cameras = objects_of_kind(capture, "CAMERA")
    if not cameras:
        raise CgcError(f"{capture.name} has no cameras; import the COLMAP capture.")
    cameras.sort(key=lambda item: of_camera(camera_data(item)).photo)
    if camera_object not in cameras:
        return cameras[0] if step > 0 else cameras[-1]
    return cameras[(cameras.index(camera_object) + step) % len(cameras)]


class CGC_OT_camera_view(bpy.types.Operator):  # noqa: N801 - Blender's convention
    """`cgc.camera_view`."""

    bl_idname = "cgc.camera_view"
    bl_label = "Look Through Camera"
    bl_description = "Make the active camera the scene's, at the size and shape of its photo"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012 - Blender's convention

    @classmethod
    def poll(cls, context: Context) -> bool:
        """Ask for a camera."""
        item = context.active_object
        if item is None or item.type != "CAMERA":
            cls.poll_message_set("Select a camera")
            return False
        return True

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        """Look through the active camera."""
        look_through(context, active_object_of(context))
        return {"FINISHED"}


def _step(operator: bpy.types.Operator, context: Context, step: int) -> set[OperatorReturnItems]:
    try:
        camera = neighbour(wanted_capture(context), scene_of(context).camera, step)
        look_through(context, camera)
    except CgcError as error:
        operator.report({"ERROR"}, str(error))
        return {"CANCELLED"}
    return {"FINISHED"}


def _has_capture(operator: type[bpy.types.Operator], context: Context) -> bool:
    if active_capture(context) is None:
        operator.poll_message_set("Import a COLMAP capture first")
        return False
    return True


class CGC_OT_next_camera(bpy.types.Operator):  # noqa: N801 - Blender's convention
    """`cgc.next_camera`."""

    bl_idname = "cgc.next_camera"
    bl_label = "Next Camera"
    bl_description = "Look through the camera of the next photo"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012 - Blender's convention

    @classmethod
    def poll(cls, context: Context) -> bool:
        """Ask for a capture."""
        return _has_capture(cls, context)

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        """Look through the next camera."""
        return _step(self, context, 1)


class CGC_OT_previous_camera(bpy.types.Operator):  # noqa: N801 - Blender's convention
    """`cgc.previous_camera`."""

    bl_idname = "cgc.previous_camera"
    bl_label = "Previous Camera"
    bl_description = "Look through the camera of the photo before"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012 - Blender's convention

    @classmethod
    def poll(cls, context: Context) -> bool:
        """Ask for a capture."""
        return _has_capture(cls, context)

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        """Look through the camera before."""
        return _step(self, context, -1)


CLASSES = (CGC_OT_camera_view, CGC_OT_next_camera, CGC_OT_previous_camera)


def register() -> None:
    """Add the operators."""
    for cls in CLASSES:
        bpy.utils.register_class(cls)


def unregister() -> None:
    """Take them away again."""
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
