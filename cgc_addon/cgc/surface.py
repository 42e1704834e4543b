# SPDX-License-Identifier: GPL-3.0-or-later
"""The surface that a view shows: where it is and which way it faces, from rendered depth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..dataset.scene import View

MINIMUM_ALPHA = 0.7
"""Less covered pixels show no surface."""
LARGEST_STEP = 0.06
"""Of the depth: where it changes more within two pixels, one thing ends before another."""


@dataclass(frozen=True, eq=False)
class Surface:
    """What P pixels of one view show."""

    points: NDArray[np.float32]
    """(P, 3) scene units."""
    normals: NDArray[np.float32]
    """(P, 3) length 1, towards the camera."""
    weights: NDArray[np.float32]
    """(P,) 0..1: cosine of the normal to the ray, 0 where no surface is known."""


def surface_of(
    depth: NDArray[np.floating],
    alpha: NDArray[np.floating],
    view: View,
    pixels: NDArray[np.integer],
) -> Surface:
    """Return the surface at some pixels of a view.

    Args:
        depth: (H, W) Σ αᵢTᵢzᵢ, scene units, as renderings have it.
        alpha: (H, W) coverage.
        view: that was rendered, with its camera.
        pixels: (P,) row · width + column.
    """
    from scipy.ndimage import uniform_filter

    camera, pose = view.camera, view.world_to_camera
    expected = np.asarray(depth, np.float64) / np.maximum(alpha, 1e-6)
    across = (np.arange(camera.width) + 0.5 - camera.cx) / camera.fx
    down = (np.arange(camera.height) + 0.5 - camera.cy) / camera.fy
    places = np.stack([across * expected, down[:, None] * expected, expected])
    smooth = np.stack([uniform_filter(plane, 3) for plane in places])
    row, column = np.divmod(pixels, camera.width)
    rays = np.stack([across[column], down[row], np.ones(len(pixels))], axis=1)
    beside, below = _change(smooth, row, column, 0, 1), _change(smooth, row, column, 1, 0)
    normals = np.cross(below.T, beside.T)  # towards the camera, as x is right, y down, z forward
    lengths = np.linalg.norm(normals, axis=1)
    normals /= np.maximum(lengths, 1e-30)[:, None]
    toward = -np.einsum("pc,pc->p", normals, rays) / np.linalg.norm(rays, axis=1)
    steps = np.maximum(
        np.abs(_change(expected, row, column, 0, 1)), np.abs(_change(expected, row, column, 1, 0))
    )
    covered = np.asarray(alpha)[row, column] > MINIMUM_ALPHA
    known = covered & (steps < LARGEST_STEP * expected[row, column]) & (lengths > 0)
    rotation, translation = pose[:3, :3], pose[:3, 3]
    return Surface(
        ((places[:, row, column].T - translation) @ rotation).astype(np.float32),
        (normals @ rotation).astype(np.float32),
        np.where(known, np.clip(toward, 0, 1), 0).astype(np.float32),
    )


def _change(
    values: NDArray[np.float64],
    row: NDArray[np.integer],
    column: NDArray[np.integer],
    down: int,
    right: int,
) -> NDArray[np.float64]:
    """Return how values (..., H, W) change from before P pixels to after them; 0 at the margin."""
    height, width = values.shape[-2:]
    inside = (row >= down) & (row < height - down) & (column >= right) & (column < width - right)
    row, column = np.where(inside, row, down), np.where(inside, column, right)
    after = values[..., row + down, column + right]
    before = values[..., row - down, column - right]
    return np.where(inside, after - before, 0.0)
