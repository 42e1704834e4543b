# SPDX-License-Identifier: GPL-3.0-or-later
"""A slanted plane with a pattern, seen exactly: each pixel's ray is cut with it in closed form."""

from __future__ import annotations

import numpy as np

from cgc_addon.dataset.scene import PinholeCamera, View

NORMAL = np.array([0.2, 0.1, -1.0]) / np.linalg.norm([0.2, 0.1, -1.0])
"""Towards the cameras, which stand before it."""
OFFSET = float(NORMAL @ [0.0, 0.0, 4.0])
"""n · X = OFFSET."""


def look_at(center: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Return world to camera (4, 4), level."""
    forward = (target - center) / np.linalg.norm(target - center)
    right = np.cross([0.0, 1.0, 0.0], forward)
    right /= np.linalg.norm(right)
    pose = np.eye(4)
    pose[:3, :3] = [right, np.cross(forward, right), forward]
    pose[:3, 3] = -pose[:3, :3] @ center
    return pose


def views(sizes=((96, 72),) * 4) -> list[View]:
    """Return cameras beside each other that look at the middle of the plane."""
    found = []
    for number, (width, height) in enumerate(sizes):
        camera = PinholeCamera(width, height, 90.0, 90.0, width / 2, height / 2)
        center = np.array([0.7 * number - 1.0, 0.2 * (number % 2), 0.0])
        found.append(View(f"{number}.png", camera, look_at(center, np.array([0.0, 0.0, 4.0]))))
    return found


def beside_each_other(count: int) -> list[View]:
    """Return many cameras in a row that look at the middle of the plane, with small photos."""
    camera = PinholeCamera(48, 36, 45.0, 45.0, 24.0, 18.0)
    centers = [np.array([x, 0.1 * np.sin(9.0 * x), 0.0]) for x in np.linspace(-1.2, 1.2, count)]
    target = np.array([0.0, 0.0, 4.0])
    return [
        View(f"{number}.png", camera, look_at(center, target))
        for number, center in enumerate(centers)
    ]


def on_plane(view: View, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the points (..., 3) of the plane that pixels show."""
    camera = view.camera
    rays = np.stack(
        [(x - camera.cx) / camera.fx, (y - camera.cy) / camera.fy, np.ones_like(x)], axis=-1
    )
    rays = rays @ view.world_to_camera[:3, :3]
    center = view.center()
    depths = (OFFSET - center @ NORMAL) / (rays @ NORMAL)
    return center + rays * depths[..., None]


def photo(view: View) -> np.ndarray:
    """Return what a camera sees (H, W, 3): a pattern without a period, the same from all sides."""
    x, y = np.meshgrid(np.arange(view.camera.width) + 0.5, np.arange(view.camera.height) + 0.5)
    points = on_plane(view, x, y)
    u, v = points[..., 0], points[..., 1]
    value = np.sin(5.1 * u + 2.0 * np.sin(3.3 * v)) + np.sin(7.3 * v + 1.7 * u) + np.sin(11 * u * v)
    grey = 127.5 + 40.0 * value
    return np.stack([grey, 0.8 * grey + 20.0, 255.0 - grey], axis=-1).clip(0, 255).astype(np.uint8)


def sparse_points(count: int = 60) -> np.ndarray:
    """Return points (count, 3) about the plane, not on it: they only tell the range of depths."""
    generator = np.random.default_rng(0)
    points = generator.uniform(-1.2, 1.2, (count, 3))
    points[:, 2] += 4.0
    return points
