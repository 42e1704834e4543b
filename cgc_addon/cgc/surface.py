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
    columns = (np.arange(camera.width) + 0.5 - camera.cx) / camera.fx
    rows = (np.arange(camera.height) + 0.5 - camera.cy) / camera.fy
    rays = np.stack(np.broadcast_arrays(columns, rows[:, None], 1.0), axis=-1)
    places = rays * expected[..., None]
    smooth = np.stack([uniform_filter(places[..., axis], 3) for axis in range(3)], axis=-1)
    across, down = np.zeros_like(smooth), np.zeros_like(smooth)
    across[:, 1:-1] = smooth[:, 2:] - smooth[:, :-2]
    down[1:-1] = smooth[2:] - smooth[:-2]
    normals = np.cross(down, across)  # towards the camera, as x is right, y down, z forward
    lengths = np.linalg.norm(normals, axis=-1)
    normals /= np.maximum(lengths, 1e-30)[..., None]
    toward = -np.einsum("hwc,hwc->hw", normals, rays) / np.linalg.norm(rays, axis=-1)
    steps = np.zeros_like(expected)
    steps[:, 1:-1] = np.abs(expected[:, 2:] - expected[:, :-2])
    steps[1:-1] = np.maximum(steps[1:-1], np.abs(expected[2:] - expected[:-2]))
    known = (alpha > MINIMUM_ALPHA) & (steps < LARGEST_STEP * expected) & (lengths > 0)
    weights = np.where(known, np.clip(toward, 0, 1), 0).reshape(-1)[pixels]
    rotation, translation = pose[:3, :3], pose[:3, 3]
    return Surface(
        ((places.reshape(-1, 3)[pixels] - translation) @ rotation).astype(np.float32),
        (normals.reshape(-1, 3)[pixels] @ rotation).astype(np.float32),
        weights.astype(np.float32),
    )
