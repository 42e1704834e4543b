# SPDX-License-Identifier: GPL-3.0-or-later
"""The cameras of the sample capture: exact pinholes, as COLMAP describes them and Blender has them.

Camera axes are x right, y down, z forward; the centre of the first pixel is (0.5, 0.5).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix
from numpy.typing import NDArray


@dataclass(frozen=True)
class Intrinsics:
    """A pinhole with square pixels; all in pixels."""

    width: int
    height: int
    focal: float
    cx: float
    cy: float

    @classmethod
    def of_size(cls, width: int, height: int) -> Intrinsics:
        """Return the sample's lens for photos of this size: 52° wide, a little off centre."""
        return cls(width, height, 1.02 * width, 0.513 * width, 0.489 * height)

    def project(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return pixel places (N, 2) of points (N, 3) in camera axes, z > 0."""
        center = np.array([self.cx, self.cy])
        return self.focal * points[:, :2] / points[:, 2:] + center

    def rays(self, pixels: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the points (N, 3) at depth 1, in camera axes, of pixel places (N, 2)."""
        directions = (pixels - np.array([self.cx, self.cy])) / self.focal
        return np.column_stack([directions, np.ones(len(pixels))])


def capture_path(count: int) -> list[NDArray[np.float64]]:
    """Return the world-to-camera matrices (4, 4) of `count` views along two turns of the table.

    The camera rises and sinks four times between 15° and 54° above the table, nearer at mid
    height, and looks at the middle of the still life, as somebody does who walks around it.
    """
    poses = []
    for k in range(count):
        along = k / count
        azimuth = 2 * np.pi * 2 * along - 1.2
        height = 0.5 - 0.5 * np.cos(2 * np.pi * 3.5 * along + 0.9)
        elevation = np.radians(15 + 39 * height)
        distance = 0.91 - 0.05 * np.sin(np.pi * height) + 0.02 * np.sin(9.0 * azimuth)
        target = np.array([0.02 * np.sin(3 * azimuth), 0.02 * np.cos(2 * azimuth), 0.07])
        out = np.array([np.cos(azimuth) * np.cos(elevation), np.sin(azimuth) * np.cos(elevation)])
        eye = target + distance * np.array([out[0], out[1], np.sin(elevation)])
        poses.append(look_at(eye, target))
    return poses


def look_at(eye: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return world-to-camera (4, 4) of an upright camera at `eye` (3,) facing `target` (3,)."""
    forward = (target - eye) / np.linalg.norm(target - eye)
    right = np.cross(forward, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right)
    rotation = np.stack([right, np.cross(forward, right), forward])
    pose = np.eye(4)
    pose[:3, :3] = rotation
    pose[:3, 3] = -rotation @ eye
    return pose


def set_camera(lens: Intrinsics, world_to_camera: NDArray[np.float64]) -> None:
    """Make the open scene's camera and picture size those of one view."""
    scene: Any = bpy.context.scene
    if scene.camera is None:
        scene.camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
        scene.collection.objects.link(scene.camera)
    scene.render.resolution_x, scene.render.resolution_y = lens.width, lens.height
    scene.render.resolution_percentage = 100
    camera: Any = scene.camera.data
    camera.sensor_fit, camera.sensor_width = "HORIZONTAL", 36.0
    camera.lens = lens.focal * 36.0 / lens.width
    camera.shift_x = (lens.width / 2 - lens.cx) / lens.width
    camera.shift_y = (lens.cy - lens.height / 2) / lens.width
    camera.clip_start, camera.clip_end = 0.01, 100.0
    # Blender's camera looks along -z with y up.
    pose = np.linalg.inv(world_to_camera) @ np.diag([1.0, -1.0, -1.0, 1.0])
    scene.camera.matrix_world = Matrix(pose.tolist())
    layer: Any = bpy.context.view_layer
    layer.update()


def write_cameras(folder: Path, lens: Intrinsics, views: dict[str, NDArray[np.float64]]) -> None:
    """Write cameras.txt and images.txt of a COLMAP text model; `views` is pose (4, 4) by name."""
    folder.mkdir(parents=True, exist_ok=True)
    size = f"{lens.width} {lens.height}"
    (folder / "cameras.txt").write_text(
        "# CAMERA_ID, MODEL, WIDTH, HEIGHT, FX, FY, CX, CY\n"
        f"1 PINHOLE {size} {lens.focal:.9g} {lens.focal:.9g} {lens.cx:.9g} {lens.cy:.9g}\n"
    )
    lines = ["# IMAGE_ID, QW, QX, QY, QZ, TX, TY, TZ, CAMERA_ID, NAME; then POINTS2D (none)"]
    for number, (name, pose) in enumerate(views.items(), start=1):
        rotation = Matrix(pose[:3, :3].tolist()).to_quaternion().normalized()
        numbers = [*rotation, *pose[:3, 3]]
        lines += [" ".join([str(number), *(f"{n:.12f}" for n in numbers), "1", name]), ""]
    (folder / "images.txt").write_text("\n".join(lines) + "\n")


def read_cameras(folder: Path) -> tuple[Intrinsics, dict[str, NDArray[np.float64]]]:
    """Read back what `write_cameras` wrote, as a reader of the dataset would."""
    camera = (folder / "cameras.txt").read_text().splitlines()[1].split()
    lens = Intrinsics(int(camera[2]), int(camera[3]), *(float(camera[k]) for k in (4, 6, 7)))
    views = {}
    for line in (folder / "images.txt").read_text().splitlines()[1::2]:
        _, *numbers, _, name = line.split()
        w, x, y, z, *translation = map(float, numbers)
        # The rotation matrix of a unit quaternion; mathutils would round it to 32 bits.
        pose = np.eye(4)
        pose[:3, :3] = [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
        pose[:3, 3] = translation
        views[name] = pose
    return lens, views
