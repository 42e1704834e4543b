# SPDX-License-Identifier: GPL-3.0-or-later
"""The camera of a render as a view: the scene's resolution and the region that is rendered."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...dataset.scene import PinholeCamera, View
from ...errors import CgcError
from ..capture.cameras import camera_data, intrinsics_in_scene, intrinsics_of, view_of

if TYPE_CHECKING:
    from bpy.types import Camera, Depsgraph, Object, Scene

_SAME_ASPECT = 1e-5


@dataclass(frozen=True)
class Region:
    """What is rendered of a picture, px from its upper left corner."""

    left: int
    top: int
    width: int
    height: int


def region_of(scene: Scene, width: int, height: int) -> Region:
    """Return the region that a scene renders, rounded as Blender does.

    Args:
        scene: with the render border.
        width: of the whole picture, px.
        height: likewise.
    """
    render = scene.render
    if not render.use_border:
        return Region(0, 0, width, height)
    left, right = _edges(render.border_min_x, render.border_max_x, width)
    bottom, top = _edges(render.border_min_y, render.border_max_y, height)
    return Region(left, height - top, right - left, top - bottom)


def camera_view(
    scene: Scene,
    camera: Object | None,
    depsgraph: Depsgraph,
    frame: NDArray[np.float64],
    region: Region,
) -> View:
    """Return the camera of a render as the view of a region.

    Args:
        scene: evaluated.
        camera: that is rendered through.
        depsgraph: of the render.
        frame: (4, 4) world matrix of the frame that is drawn in.
        region: of the picture.

    Raises:
        CgcError: there is no camera, or none that the engine can draw through.
    """
    camera = checked_camera(scene, camera)
    evaluated = camera.evaluated_get(depsgraph)
    data = camera_data(evaluated)
    matrix = np.array(evaluated.matrix_world, dtype=np.float64)
    view = view_of(scene, evaluated, frame, camera.name, matrix, _intrinsics(scene, data))
    whole = view.camera
    part = replace(
        whole,
        width=region.width,
        height=region.height,
        cx=whole.cx - region.left,
        cy=whole.cy - region.top,
    )
    return replace(view, camera=part)


def checked_camera(scene: Scene, camera: Object | None) -> Object:
    """Return a camera that splats can be drawn through.

    Args:
        scene: that is rendered.
        camera: of the render.

    Raises:
        CgcError: there is no camera, or none that the engine can draw through.
    """
    if camera is None:
        raise CgcError("The scene has no camera; add one, or make one active.")
    if scene.render.use_multiview:
        raise CgcError("CGC Splats renders no stereoscopy; switch it off in the output properties.")
    if camera_data(camera).type != "PERSP":
        raise CgcError(
            f"{camera.name} is no perspective camera, and splats are drawn by no other; "
            "set its lens type to Perspective."
        )
    return camera


def _intrinsics(scene: Scene, data: Camera) -> PinholeCamera:
    """Return the intrinsics at the scene's resolution; those of the photo where that is its own."""
    blender, photo = intrinsics_in_scene(scene, data), intrinsics_of(data)
    if photo is None or (photo.width, photo.height) != (blender.width, blender.height):
        return blender
    same = abs(photo.fx / photo.fy * blender.fy / blender.fx - 1.0) < _SAME_ASPECT
    return photo if same else blender


def _edges(first: float, last: float, size: int) -> tuple[int, int]:
    """Return where a border begins and ends, px, calculated as Blender does, in float32."""
    ends = [int(np.float32(value) * np.float32(size)) for value in (first, last)]
    begin, end = (min(max(value, 0), size) for value in ends)
    return begin, end
