# SPDX-License-Identifier: GPL-3.0-or-later
"""Cameras, Empties and lights under the mouse: Blender draws them as lines, which no ray meets."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from .shown import Viewpoint

if TYPE_CHECKING:
    from bpy.types import Camera, Object, Scene

KINDS = ("CAMERA", "EMPTY", "LIGHT", "LIGHT_PROBE", "SPEAKER")
REACH = 8.0
"""Pixels at most between the mouse and a line, before the scale of the user interface."""


def line_object_at(
    items: Iterable[Object], scene: Scene, viewpoint: Viewpoint, x: float, y: float, reach: float
) -> float | None:
    """Return how far the nearest line under the mouse is, None where there is none.

    Args:
        items: objects that can be selected, of any kind.
        scene: decides the shape of cameras.
        viewpoint: from where.
        x: px from the left edge.
        y: px from the lower edge.
        reach: px.

    Returns:
        Depth along the axis of view, scene units.
    """
    lines = [_lines(item, scene) for item in items if item.type in KINDS]
    if not lines:
        return None
    ends = np.concatenate(lines)
    homogeneous = np.concatenate([ends, np.ones((*ends.shape[:2], 1))], axis=2)
    in_view = homogeneous @ viewpoint.world_to_view.T
    clip = in_view @ viewpoint.projection.T
    in_front = (clip[..., 3] > 0.0).all(axis=1)
    in_view, clip = in_view[in_front], clip[in_front]
    size = np.array([viewpoint.width, viewpoint.height])
    places = (clip[..., :2] / clip[..., 3:] + 1.0) * size / 2.0
    along = places[:, 1] - places[:, 0]
    squares = (along * along).sum(axis=1)
    share = (((x, y) - places[:, 0]) * along).sum(axis=1) / np.maximum(squares, 1e-12)
    ends = -in_view[..., 2]
    # Seen end on, the nearer end of a line is what one points at.
    share = np.where(squares < 1.0, ends[:, 1] < ends[:, 0], np.clip(share, 0.0, 1.0))
    distances = np.linalg.norm(places[:, 0] + share[:, None] * along - (x, y), axis=1)
    depths = ends[:, 0] + share * (ends[:, 1] - ends[:, 0])
    touched = depths[distances <= reach]
    return float(touched.min()) if len(touched) else None


def _lines(item: Object, scene: Scene) -> NDArray[np.float64]:
    """Return the lines of an object (L, 2, 3) in the world: ends of each."""
    if item.type == "CAMERA":
        data = cast("Camera", item.data)
        # Blender draws it of the size that is set, whatever the scale of the object.
        scales = np.array(item.matrix_world.to_scale()[:])
        size = data.display_size / max(float(scales.mean()), 1e-12)
        frame = size * np.array(data.view_frame(scene=scene), np.float64)
        following = np.roll(frame, 1, axis=0)
        apex = np.zeros_like(frame)
        local = np.concatenate([np.stack([frame, following], 1), np.stack([apex, frame], 1)])
    elif item.type == "EMPTY":
        axes = item.empty_display_size * np.eye(3)
        local = np.stack(
            [np.zeros((3, 3)) if item.empty_display_type == "ARROWS" else -axes, axes], 1
        )
    else:
        local = np.zeros((1, 2, 3))
    matrix = np.array(item.matrix_world, np.float64)
    return local @ matrix[:3, :3].T + matrix[:3, 3]
