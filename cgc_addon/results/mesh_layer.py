# SPDX-License-Identifier: GPL-3.0-or-later
"""Splats around a picture of meshes, which another renderer drew: each hides the other by depth.

A pixel of a splat is Σ wᵢcᵢ from front to back. Parted at the depth of the mesh it is a front F
with alpha a_F and the rest; the mesh M with its alpha a_M, what it covers of the pixel, comes
between:

    a_M · F  +  (1 − a_F) · M  +  (1 − a_M) · (the splat as it is without the mesh)

F and M are premultiplied. Where colours are blended linearly this is the front over the mesh over
the back; written so, what no mesh covers keeps the splat's own blending, in encoded values.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import CgcError

NO_DEPTH = np.float32(1e10)
"""What Blender's renderers write where nothing is."""
_FARTHEST_DEPTH = np.float32(1e9)
_SMALLEST_ALPHA = np.float32(1e-12)


@dataclass(frozen=True, eq=False)
class MeshLayer:
    """Meshes rendered alone, on a transparent film."""

    rgba: NDArray[np.float32]
    """(H, W, 4) scene-linear, premultiplied, alpha 0..1."""
    depth: NDArray[np.float32]
    """(H, W) along the camera axis, scene units, `NO_DEPTH` where nothing is."""

    def __post_init__(self) -> None:
        """Refuse pictures that do not belong together.

        Raises:
            CgcError: shapes differ.
        """
        if self.rgba.shape != (*self.depth.shape, 4):
            raise CgcError(
                f"The meshes were rendered as a picture of shape {self.rgba.shape} with depths of "
                f"shape {self.depth.shape}; both need the same size, and the picture an alpha."
            )


def depth_limits(layer: MeshLayer) -> NDArray[np.float32]:
    """Return the depth (H, W) at which splats are parted, infinite where no mesh is.

    Pictures are smoothed at the edges of meshes and depths are not, so a pixel may show a part of a
    mesh and have no depth. It gets the nearest depth of the pixels around it.
    """
    there = np.where(layer.depth < _FARTHEST_DEPTH, layer.depth, np.float32(np.inf))
    height, width = there.shape
    padded = np.pad(there, 1, constant_values=np.inf)
    around = np.full_like(there, np.inf)
    for row in range(3):
        for column in range(3):
            np.minimum(around, padded[row : row + height, column : column + width], out=around)
    limits = np.where(np.isfinite(there), there, around)
    return np.where(layer.rgba[..., 3] > 0.0, limits, np.float32(np.inf))


def compose(
    layer: MeshLayer, plain: NDArray[np.float32], front: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return meshes and splats in one picture (H, W, 4), scene-linear and premultiplied.

    Args:
        layer: the meshes.
        plain: (H, W, 4) the picture without them, scene-linear and premultiplied, on a transparent
            film or before the colour of the world.
        front: (H, W, 4) what of the splat is nearer than `depth_limits`, as the rasterizer draws
            it: encoded as sRGB, premultiplied.
    """
    covered = layer.rgba[..., 3:]
    meshes = (layer.rgba != 0.0).any(axis=-1)
    result = plain.copy()
    if meshes.any():
        nearer, share = front[meshes], covered[meshes]
        result[meshes] = (
            share * linear_from_encoded(nearer)
            + (1.0 - nearer[:, 3:]) * layer.rgba[meshes]
            + (1.0 - share) * plain[meshes]
        )
    return result


def linear_from_encoded(rgba: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return premultiplied colours (..., 4) scene-linear that were encoded as sRGB.

    Colours beyond 0..1 go on along the curve, mirrored at 0.

    Example:
        >>> linear_from_encoded(np.array([0.25, 0.0, 0.5, 0.5], np.float32)).round(3).tolist()
        [0.10700000077486038, 0.0, 0.5, 0.5]
    """
    alpha = rgba[..., 3:]
    straight = rgba[..., :3] / np.maximum(alpha, _SMALLEST_ALPHA)
    magnitude = np.abs(straight)
    curve = np.where(magnitude <= 0.04045, magnitude / 12.92, ((magnitude + 0.055) / 1.055) ** 2.4)
    linear = np.copysign(curve, straight) * alpha
    return np.concatenate([linear, alpha], axis=-1).astype(np.float32)
