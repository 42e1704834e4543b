# SPDX-License-Identifier: GPL-3.0-or-later
"""A scene becomes a COLMAP text model: cameras.txt, images.txt, points3D.txt."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from cgc_addon.dataset.scene import PinholeCamera, Scene
from cgc_addon.files import write_text


def write_colmap_text(folder: Path, scene: Scene) -> None:
    """Write `scene` as a COLMAP model that any reader of COLMAP models takes.

    Views of equal intrinsics share a camera. Points have no tracks, and 0 as error.

    Args:
        folder: the model's own, "DATASET/sparse/0"; made if missing.
        scene: pinhole views and points.
    """
    camera_ids: dict[PinholeCamera, int] = {}
    for view in scene.views:
        camera_ids.setdefault(view.camera, len(camera_ids) + 1)
    cameras = ["# CAMERA_ID MODEL WIDTH HEIGHT FX FY CX CY"]
    cameras += [
        f"{number} PINHOLE {c.width} {c.height} {_words(c.fx, c.fy, c.cx, c.cy)}"
        for c, number in camera_ids.items()
    ]
    images = ["# IMAGE_ID QW QX QY QZ TX TY TZ CAMERA_ID NAME, then a line of 2D points (none)"]
    for number, view in enumerate(scene.views, start=1):
        pose = (*_quaternion(view.world_to_camera[:3, :3]), *view.world_to_camera[:3, 3])
        images += [f"{number} {_words(*pose)} {camera_ids[view.camera]} {view.name}", ""]
    points = ["# POINT3D_ID X Y Z R G B ERROR TRACK[]"]
    points += [
        f"{number} {_words(*position)} {color[0]} {color[1]} {color[2]} 0"
        for number, (position, color) in enumerate(
            zip(scene.points, scene.point_colors, strict=True), start=1
        )
    ]
    # The cameras come last: without them there is no model, so a kill leaves none half-written.
    write_text(folder / "points3D.txt", "\n".join(points) + "\n")
    write_text(folder / "images.txt", "\n".join(images) + "\n")
    write_text(folder / "cameras.txt", "\n".join(cameras) + "\n")


def _quaternion(rotation: NDArray[np.float64]) -> NDArray[np.float64]:
    x, y, z, w = Rotation.from_matrix(rotation).as_quat()
    return np.array([w, x, y, z])


def _words(*numbers: float) -> str:
    """Return the shortest text that reads back as the same double or float."""
    return " ".join(np.format_float_positional(number, unique=True, trim="-") for number in numbers)
