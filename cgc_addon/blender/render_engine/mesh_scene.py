# SPDX-License-Identifier: GPL-3.0-or-later
"""A copy of a scene that another engine renders without its splats, into files with depths.

Settings of the render are changed in the copy alone. Objects are shared with it: what hides them
is put back when the copy is closed. They are found again by their numbers, since undo may replace
them meanwhile.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import bpy

from ...errors import CgcError
from ..capture.cameras import camera_data
from ..common.access import of_object
from ..splats.objects import is_splat
from .identity import ENGINE
from .mesh_pictures import MeshPictures

if TYPE_CHECKING:
    from bpy.types import ID, AnimData, FCurve, ImageFormatSettings, Object, Scene

PIXEL_BYTES = 12
"""Four colours of two bytes and a depth of four; packed, a picture mostly takes less than half."""
AS_SCENE, EEVEE, CYCLES = "SCENE", "EEVEE", "CYCLES"
_EEVEE_ENGINE = "BLENDER_EEVEE_NEXT" if bpy.app.version < (5, 0) else "BLENDER_EEVEE"
_HIDDEN = "hide_render"
_RAYS = ("camera", "diffuse", "glossy", "transmission", "volume_scatter", "shadow")
"""What sees an object; none may: geometry nodes of others can place it though it is hidden."""


def engine_for(scene: Scene, choice: str) -> str:
    """Return the engine that renders meshes.

    Args:
        scene: whose own engine counts where it can render meshes.
        choice: `AS_SCENE`, `EEVEE` or `CYCLES`.
    """
    if choice == CYCLES:
        return "CYCLES"
    own = scene.render.engine
    if choice == AS_SCENE and own not in {ENGINE, "BLENDER_WORKBENCH"}:
        return own
    return _EEVEE_ENGINE


class MeshScene:
    """Makes the copy; `close` puts everything back and may be called twice."""

    def __init__(self, scene: Scene, engine: str, folder: Path, *, animation: bool) -> None:
        """Prepare a render.

        Args:
            scene: to copy.
            engine: that renders meshes, as `engine_for` says.
            folder: for the pictures.
            animation: render the frames of the scene, not the one that it stands at.

        Raises:
            CgcError: this Blender does not have the engine, or the folder has no room.
        """
        self._undo = ExitStack()
        try:
            copy = scene.copy()
            copy.name = f"{scene.name} Meshes"
            self._undo.callback(_remove, copy.session_uid)
            _set_up(copy, engine)
            # An animation may take gigabytes: it has half as many bytes for colours.
            _image_settings(copy).color_depth = "16" if animation else "32"
            self.name = cast("str", copy.name)
            """Of the copy."""
            self.pictures = MeshPictures(scene.name_full, _files(copy, folder, animation))
            _check_room(copy, folder, len(self.pictures.files))
            self._hide_splats()
            self._sharpen(scene)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Delete the copy and show what was hidden."""
        self._undo.close()

    def _hide_splats(self) -> None:
        for item in bpy.data.objects:
            if not _stays_out(item):
                continue
            for place, curve in enumerate(_hiding_curves(item)):
                if not curve.mute:
                    curve.mute = True
                    self._undo.callback(_unmute, item.session_uid, place)
            for name, value in ((_HIDDEN, True), *((f"visible_{ray}", False) for ray in _RAYS)):
                self._set(item, bpy.data.objects, name, value)

    def _sharpen(self, scene: Scene) -> None:
        """Switch depth of field off, which splats do not have."""
        cameras = {scene.camera, *(marker.camera for marker in scene.timeline_markers)}
        for data in {camera_data(camera) for camera in cameras if camera is not None}:
            self._set(data, bpy.data.cameras, "dof.use_dof", False)

    def _set(self, block: ID, blocks: Iterable[ID], path: str, value: bool) -> None:
        before = block.path_resolve(path)
        if before != value:
            _assign(block, path, value)
            self._undo.callback(_put_back, blocks, block.session_uid, path, before)


def _set_up(copy: Scene, engine: str) -> None:
    """Let a scene render colours and depths on a transparent film."""
    render = cast("Any", copy.render)
    try:
        render.engine = engine
    except TypeError:
        raise CgcError(
            f"This Blender has no engine {engine}; switch the add-on on that brings it, or choose "
            "another engine for the meshes."
        ) from None
    render.film_transparent = True
    render.use_motion_blur = False
    render.use_compositing = render.use_sequencer = False
    render.use_stamp = False
    render.use_lock_interface = True  # what is hidden for a moment must not be saved so
    render.use_file_extension = render.use_overwrite = True
    render.use_placeholder = False
    for layer in copy.view_layers:
        layer.use_pass_combined = layer.use_pass_z = True
    settings = cast("Any", _image_settings(copy))
    if hasattr(settings, "media_type"):  # from 5.0 on
        settings.media_type = "MULTI_LAYER_IMAGE"
    settings.file_format = "OPEN_EXR_MULTILAYER"
    settings.color_management = "FOLLOW_SCENE"
    settings.exr_codec = "ZIP"
    if hasattr(settings, "use_exr_interleave"):  # else each pass is a part of the file
        settings.use_exr_interleave = True


def _image_settings(scene: Scene) -> ImageFormatSettings:
    return cast("ImageFormatSettings", scene.render.image_settings)


def _files(copy: Scene, folder: Path, animation: bool) -> dict[int, Path]:
    """Let a scene write into a folder, and return the files by frame."""
    if not animation:
        path = folder / "meshes.exr"
        copy.render.filepath = str(path)
        return {copy.frame_current: path}
    copy.render.filepath = str(folder / "meshes_######")
    frames = range(copy.frame_start, copy.frame_end + 1, copy.frame_step)
    return {frame: Path(copy.render.frame_path(frame=frame)) for frame in frames}


def _check_room(copy: Scene, folder: Path, frames: int) -> None:
    render = copy.render
    share = render.resolution_percentage / 100.0
    pixels = render.resolution_x * share * render.resolution_y * share
    needed, free = frames * pixels * PIXEL_BYTES, shutil.disk_usage(folder).free
    if needed > free:
        raise CgcError(
            f"The pictures of the meshes of {frames} frames may need {needed / 1e9:.1f} GB in "
            f"{folder.parent}, where {free / 1e9:.1f} GB are free; choose another folder for "
            "temporary files in Blender's preferences, or render fewer frames at a time."
        )


def _stays_out(item: Object) -> bool:
    """Return whether an object is a splat or the sparse points of a capture."""
    if item.type != "POINTCLOUD":
        return False
    return is_splat(item) or of_object(item).kind == "POINTS"


def _hiding_curves(item: Object) -> Iterator[FCurve]:
    """Yield the curves and drivers that say when an object is hidden in renders."""
    animation = item.animation_data
    if animation is None:
        return
    for curve in (*animation.drivers, *_keyed(animation)):
        if curve.data_path == _HIDDEN:
            yield curve


def _keyed(animation: AnimData) -> Iterator[FCurve]:
    assigned: list[Any] = [animation]
    assigned += [strip for track in animation.nla_tracks for strip in track.strips]
    for one in assigned:
        for layer in one.action.layers if one.action is not None else ():
            for strip in layer.strips:
                for bag in strip.channelbags:
                    if bag.slot_handle == one.action_slot_handle:
                        yield from bag.fcurves


def _found(blocks: Iterable[ID], uid: int) -> Any:
    return next((block for block in blocks if block.session_uid == uid), None)


def _remove(uid: int) -> None:
    copy = _found(bpy.data.scenes, uid)
    if copy is not None:
        bpy.data.scenes.remove(copy)


def _put_back(blocks: Iterable[ID], uid: int, path: str, value: object) -> None:
    block = _found(blocks, uid)
    if block is not None:
        _assign(block, path, value)


def _assign(block: ID, path: str, value: object) -> None:
    *owner, name = path.rsplit(".", 1)
    setattr(block.path_resolve(owner[0]) if owner else block, name, value)


def _unmute(uid: int, place: int) -> None:
    item = _found(bpy.data.objects, uid)
    if item is not None:
        with suppress(IndexError):  # taken away meanwhile
            list(_hiding_curves(item))[place].mute = False
