# SPDX-License-Identifier: GPL-3.0-or-later
"""Which views masks are asked for: one camera, several, or one camera frame by frame."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from ...dataset.names import stem_of
from ...dataset.scene import View
from ...errors import CgcError
from ..capture.cameras import camera_data, view_of
from ..capture.parts import active_capture, objects_of_kind, root_of
from ..common.access import of_camera
from ..common.context import scene_of
from ..common.world_matrix import world_matrix

if TYPE_CHECKING:
    from bpy.types import Collection, Context, Depsgraph, Object, Scene

Which = Literal["ACTIVE", "SELECTED", "CAPTURE", "FRAMES"]
_EVEN = 1e-4
"""Scales that differ by less than this share are one."""


def chosen_cameras(context: Context, which: Which) -> list[Object]:
    """Return the cameras wanted, those of photos in the order of the photos.

    Raises:
        CgcError: there are none; the sentence says what to do.
    """
    scene = scene_of(context)
    if which in ("ACTIVE", "FRAMES"):
        if scene.camera is None:
            raise CgcError(
                "The scene has no active camera; select a camera and choose "
                "View > Cameras > Set Active Object as Camera."
            )
        return [scene.camera]
    if which == "SELECTED":
        cameras = [item for item in context.selected_objects if item.type == "CAMERA"]
        if not cameras:
            raise CgcError(
                "No camera is selected; select one or more, those of photos once Dataset > Cameras "
                "Selectable is on, or choose other cameras."
            )
    else:
        capture = active_capture(context)
        cameras = objects_of_kind(capture, "CAMERA") if capture is not None else []
        if not cameras:
            raise CgcError(
                "There are no capture cameras in the scene; import a COLMAP capture, "
                "or choose other cameras."
            )
    return sorted(cameras, key=lambda item: (_photo_of(item) or item.name, item.name))


def views_of(
    scene: Scene, cameras: Sequence[Object], depsgraph: Depsgraph, frame: NDArray[np.float64]
) -> tuple[View, ...]:
    """Return cameras as views, named like their photos, else like themselves.

    Args:
        scene: whose resolution counts for cameras without a photo.
        cameras: perspective ones.
        depsgraph: up to date.
        frame: (4, 4) world matrix of the frame wanted.

    Raises:
        CgcError: a camera cannot be a view.
    """
    named = zip(cameras, _names(cameras), strict=True)
    return tuple(_view(scene, item, depsgraph, frame, name) for item, name in named)


def view_at_frame(
    scene: Scene, camera: Object, depsgraph: Depsgraph, frame: NDArray[np.float64]
) -> View:
    """Return a camera as the view of the scene's current frame, named like it: 0001.png.

    Raises:
        CgcError: the camera cannot be a view.
    """
    return _view(scene, camera, depsgraph, frame, f"{scene.frame_current:04d}.png")


def capture_frame(context: Context, depsgraph: Depsgraph) -> NDArray[np.float64]:
    """Return the world matrix (4, 4) of the frame to draw in, that of the active capture."""
    return frame_of_capture(active_capture(context), depsgraph)


def frame_of_capture(capture: Collection | None, depsgraph: Depsgraph) -> NDArray[np.float64]:
    """Return the world matrix (4, 4) of the frame to draw in.

    It is the capture's, in which Gaussians that nobody moved keep their very numbers. Where
    that frame is lost, sheared or scaled unevenly, or there is no capture, it is the world.
    """
    if capture is None:
        return np.eye(4)
    try:
        matrix = world_matrix(root_of(capture), depsgraph)
    except CgcError:
        return np.eye(4)
    stretches = np.linalg.svd(matrix[:3, :3], compute_uv=False)
    mirrored = np.linalg.det(matrix[:3, :3]) <= 0.0
    uneven = stretches[0] - stretches[2] > _EVEN * stretches[0]
    return np.eye(4) if mirrored or uneven else matrix


@contextmanager
def frame_kept(scene: Scene) -> Iterator[None]:
    """Show the same frame through the same camera afterwards, whatever happens in between."""
    frame, part, camera = scene.frame_current, scene.frame_subframe, scene.camera
    try:
        yield
    finally:
        scene.frame_set(frame, subframe=part)
        scene.camera = camera


def _view(
    scene: Scene, item: Object, depsgraph: Depsgraph, frame: NDArray[np.float64], name: str
) -> View:
    return view_of(scene, item, frame, name, world_matrix(item, depsgraph))


def _photo_of(item: Object) -> str:
    return of_camera(camera_data(item)).photo


def _names(cameras: Sequence[Object]) -> list[str]:
    """Name each view; of several cameras with one photo, the first has the photo's name."""
    taken: set[str] = set()
    names = []
    for item in cameras:
        own = re.sub(r'[\\/:*?"<>|\x00-\x1f]', "_", item.name) + ".png"
        name = _photo_of(item) or own
        number = 1
        while stem_of(name).casefold() in taken:
            name = own if number == 1 else f"{own[:-4]}_{number}.png"
            number += 1
        taken.add(stem_of(name).casefold())
        names.append(name)
    return names
