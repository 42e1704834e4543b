# SPDX-License-Identifier: GPL-3.0-or-later
"""Blender's cameras as pinhole cameras in pixels, and the other way round, exactly.

Blender keeps half of a camera's intrinsics on the scene: its resolution and the aspect of its
pixels, through which alone fx and fy can differ. A photo's intrinsics are therefore kept on the
camera too, and the scene is set to them while something is rendered through it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from ...dataset.scene import PinholeCamera, View
from ...errors import CgcError
from ..common.access import of_camera

if TYPE_CHECKING:
    from bpy.types import Camera, Object, Scene

_SENSOR_WIDTH = 36.0
"""mm; any would do, this is what photographers think in."""
_RENDER_SETTINGS = (
    "resolution_x",
    "resolution_y",
    "resolution_percentage",
    "pixel_aspect_x",
    "pixel_aspect_y",
    "use_border",
)
_RIGID_TOLERANCE = 1e-4
_FLIP_YZ = np.diag([1.0, -1.0, -1.0, 1.0])
"""From a camera's axes in COLMAP, y down and z forward, to Blender's, y up and z backward."""


def camera_data(camera_object: Object) -> Camera:
    """Return the data of a camera, typed."""
    return cast("Camera", camera_object.data)


def camera_matrix(world_to_camera: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the matrix (4, 4) of a Blender camera with the pose of a view.

    Args:
        world_to_camera: (4, 4) rigid, COLMAP's axes: x right, y down, z forward.

    Returns:
        The object's matrix in the frame of `world_to_camera`.
    """
    return np.linalg.inv(world_to_camera) @ _FLIP_YZ


def apply_intrinsics(data: Camera, camera: PinholeCamera) -> None:
    """Give a Blender camera the lens and the shifts of a pinhole camera, and keep the numbers.

    They show what `camera` shows once the scene is set for them (see `scene_of_camera`).
    """
    data.type = "PERSP"
    data.sensor_fit = "HORIZONTAL"
    data.sensor_width = _SENSOR_WIDTH
    data.lens, data.shift_x, data.shift_y = _lens_and_shifts(camera)
    kept = of_camera(data)
    kept.width, kept.height = camera.width, camera.height
    kept.fx, kept.fy, kept.cx, kept.cy = camera.fx, camera.fy, camera.cx, camera.cy


def intrinsics_of(data: Camera) -> PinholeCamera | None:
    """Return the intrinsics that are kept on a camera, if its lens still is the one they gave it.

    A camera whose lens was changed by hand or by an animation is as any other camera.
    """
    kept = of_camera(data)
    if not (kept.width and kept.height) or data.type != "PERSP":
        return None
    camera = PinholeCamera(kept.width, kept.height, kept.fx, kept.fy, kept.cx, kept.cy)
    if data.sensor_fit != "HORIZONTAL" or not math.isclose(data.sensor_width, _SENSOR_WIDTH):
        return None
    now = (data.lens, data.shift_x, data.shift_y)
    unchanged = np.allclose(now, _lens_and_shifts(camera), rtol=1e-5, atol=1e-6)
    return camera if unchanged else None


def set_scene_for(scene: Scene, camera: PinholeCamera) -> None:
    """Set resolution and pixel aspect of a scene to those of a photo."""
    render = scene.render
    render.resolution_x, render.resolution_y = camera.width, camera.height
    render.resolution_percentage = 100
    aspect = camera.fx / camera.fy
    render.pixel_aspect_x = max(1.0, 1.0 / aspect)  # Blender allows none below 1
    render.pixel_aspect_y = max(1.0, aspect)


@contextmanager
def scene_of_camera(scene: Scene, camera_object: Object) -> Iterator[None]:
    """Set the scene for rendering all that a camera's photo shows; after that, all is as before.

    Cameras without kept intrinsics are rendered at the scene's own resolution.
    """
    before = {name: getattr(scene.render, name) for name in _RENDER_SETTINGS}
    try:
        camera = intrinsics_of(_perspective_data(camera_object))
        scene.render.use_border = False
        if camera is not None:
            set_scene_for(scene, camera)
        yield
    finally:
        for name, value in before.items():
            setattr(scene.render, name, value)


def view_of(
    scene: Scene,
    camera_object: Object,
    frame: NDArray[np.float64],
    name: str,
    matrix_world: NDArray[np.float64] | None = None,
    intrinsics: PinholeCamera | None = None,
) -> View:
    """Return a camera as a view, exactly as Blender renders it: the whole picture, no region of it.

    Matrices must be up to date: `view_layer.update()` after changes by script.

    Args:
        scene: whose resolution counts for cameras without kept intrinsics.
        camera_object: any perspective camera; its scale is left out, as Blender does.
        frame: (4, 4) matrix of the frame wanted, in the world; identity for the world itself. May
            be scaled evenly: a view sees the same at any scale.
        name: of the view.
        matrix_world: (4, 4) of the camera, where the object's own is not to be trusted: Blender
            keeps none up to date for objects that are switched off.
        intrinsics: other ones than the camera's photo has, or the scene gives it.

    Raises:
        CgcError: no pinhole camera shows what this one shows.
    """
    data = _perspective_data(camera_object)
    camera = intrinsics or intrinsics_of(data) or intrinsics_in_scene(scene, data)
    matrix = camera_object.matrix_world if matrix_world is None else matrix_world
    turned = np.array(matrix, dtype=np.float64)
    turned[:3, :3], _ = _rotation_and_lengths(turned[:3, :3], camera_object.name)
    pose = _FLIP_YZ @ np.linalg.inv(turned) @ frame
    pose[:3, :3], lengths = _rotation_and_lengths(pose[:3, :3], "The frame of the capture")
    if np.ptp(lengths) > _RIGID_TOLERANCE * lengths.max():
        raise CgcError(
            "The frame of the capture is scaled unevenly, which no pinhole camera can show; "
            "give its root Empty the same scale along x, y and z."
        )
    pose[:3, 3] /= lengths.mean()
    return View(name, camera, pose)


def _perspective_data(camera_object: Object) -> Camera:
    if camera_object.type != "CAMERA":
        raise CgcError(f"{camera_object.name} is no camera; select one.")
    data = camera_data(camera_object)
    if data.type != "PERSP":
        raise CgcError(
            f"{camera_object.name} is not a perspective camera; set its lens type to Perspective."
        )
    return data


def _lens_and_shifts(camera: PinholeCamera) -> tuple[float, float, float]:
    """Return focal length in mm and the shifts, which Blender counts in widths of the picture."""
    w, h = camera.width, camera.height
    return (
        camera.fx * _SENSOR_WIDTH / w,
        (w / 2 - camera.cx) / w,
        (camera.cy - h / 2) / w * (camera.fx / camera.fy),
    )


def intrinsics_in_scene(scene: Scene, data: Camera) -> PinholeCamera:
    """Return what Blender makes of lens, sensor and shifts at the scene's resolution.

    Args:
        scene: with resolution, percentage and aspect of the pixels.
        data: of a perspective camera.
    """
    render = scene.render
    width = render.resolution_x * render.resolution_percentage // 100  # as Blender rounds
    height = render.resolution_y * render.resolution_percentage // 100
    tallness = render.pixel_aspect_y / render.pixel_aspect_x
    fit = data.sensor_fit
    sensor = data.sensor_height if fit == "VERTICAL" else data.sensor_width
    if fit == "AUTO":
        wide = render.pixel_aspect_x * width >= render.pixel_aspect_y * height
        fit = "HORIZONTAL" if wide else "VERTICAL"
    side = width if fit == "HORIZONTAL" else tallness * height
    """What the sensor's size and the shifts refer to, in widths of a pixel."""
    fx = data.lens * side / sensor
    cx = width / 2 - data.shift_x * side
    cy = height / 2 + data.shift_y * side / tallness
    return PinholeCamera(width, height, fx, fx / tallness, cx, cy)


def _rotation_and_lengths(
    axes: NDArray[np.float64], name: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the rotation (3, 3) in a matrix of axes, and their lengths (3,).

    Raises:
        CgcError: the axes are not at right angles, mirrored, or have no length.
    """
    lengths = np.linalg.norm(axes, axis=0)
    rotation = axes / np.where(lengths > 0.0, lengths, 1.0)
    skewed = np.abs(rotation.T @ rotation - np.eye(3)).max() > _RIGID_TOLERANCE
    if skewed or np.linalg.det(rotation) < 0.0:
        raise CgcError(
            f"{name} is sheared, mirrored or scaled to nothing, which no pinhole camera can show; "
            "clear the scale of it and of its parents."
        )
    return rotation, lengths
