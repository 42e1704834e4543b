# SPDX-License-Identifier: GPL-3.0-or-later
"""A sparse point cloud such as structure from motion finds, taken from exact depth maps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from capture import Intrinsics
from numpy.typing import NDArray


def sparse_points(
    lens: Intrinsics,
    poses: NDArray[np.float64],
    photos: NDArray[np.uint8],
    depths: NDArray[np.float32],
    *,
    count: int,
    noise: float,
    outliers: float,
    seed: int,
) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
    """Pick points on textured surfaces that at least three views see.

    Args:
        lens: intrinsics of all views.
        poses: world-to-camera (V, 4, 4).
        photos: (V, H, W, 3) sRGB.
        depths: (V, H, W) z in camera axes, metres.
        count: number of points.
        noise: standard deviation of each coordinate, metres.
        outliers: share of the points that lie anywhere within the bounds of the others.
        seed: repeats a run exactly.

    Returns:
        Points (count, 3) in metres, and their colours (count, 3) sRGB.
    """
    generator = np.random.default_rng(seed)
    found, colors = [], []
    for pose, photo, depth in zip(poses, photos, depths, strict=True):
        rows, columns = _textured_pixels(photo, depth, 4 * count // len(poses), generator)
        in_camera = lens.rays(np.column_stack([columns, rows]) + 0.5) * depth[rows, columns, None]
        points = (in_camera - pose[:3, 3]) @ pose[:3, :3]
        seen = sum(
            _sees(lens, other, far, points) for other, far in zip(poses, depths, strict=True)
        )
        found.append(points[seen >= 3])
        colors.append(photo[rows, columns][seen >= 3])
    points, point_colors = np.concatenate(found), np.concatenate(colors)
    chosen = generator.choice(len(points), size=count, replace=False)
    points = points[chosen] + generator.normal(0, noise, (count, 3))
    stray = generator.choice(count, size=round(outliers * count), replace=False)
    points[stray] = generator.uniform(points.min(0), points.max(0), (len(stray), 3))
    return points, point_colors[chosen]


def write_points(path: Path, points: NDArray[np.float64], colors: NDArray[np.uint8]) -> None:
    """Write points (N, 3) and colours (N, 3) as COLMAP's points3D.txt, without tracks."""
    lines = ["# POINT3D_ID, X, Y, Z, R, G, B, ERROR"]
    for number, (point, rgb) in enumerate(zip(points, colors, strict=True), start=1):
        place = " ".join(f"{value:.5f}" for value in point)
        lines.append(f"{number} {place} {rgb[0]} {rgb[1]} {rgb[2]} 0.5")
    path.write_text("\n".join(lines) + "\n")


def _textured_pixels(
    photo: NDArray[np.uint8],
    depth: NDArray[np.float32],
    count: int,
    generator: np.random.Generator,
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Draw rows and columns (count,) of pixels, oftener where the photo has gradients."""
    down, right = np.gradient(photo.mean(axis=-1))
    # Edges of things against what is behind them are no points of a surface.
    relative = np.abs(np.gradient(depth)).max(axis=0) / depth
    weight = (np.hypot(down, right) + 2.0) * (relative < 0.02)
    chosen = generator.choice(
        weight.size, size=count, replace=False, p=weight.ravel() / weight.sum()
    )
    rows, columns = np.unravel_index(chosen, weight.shape)
    return rows, columns


def _sees(
    lens: Intrinsics,
    pose: NDArray[np.float64],
    depth: NDArray[np.float32],
    points: NDArray[np.float64],
) -> NDArray[np.int64]:
    """Return 1 for each of the points (N, 3) that a view sees, else 0."""
    in_camera = points @ pose[:3, :3].T + pose[:3, 3]
    in_front = in_camera[:, 2] > 0.05
    places = lens.project(np.where(in_front[:, None], in_camera, 1.0))
    columns, rows = np.floor(places).astype(int).T
    inside = in_front & (columns >= 0) & (rows >= 0) & (columns < lens.width) & (rows < lens.height)
    nearest = depth[np.where(inside, rows, 0), np.where(inside, columns, 0)]
    return (inside & (np.abs(nearest / in_camera[:, 2] - 1) < 0.02)).astype(np.int64)
