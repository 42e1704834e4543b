# SPDX-License-Identifier: GPL-3.0-or-later
"""Splats around a picture of meshes, which another renderer drew: each hides the other by depth.

A pixel of a splat is Σ wᵢcᵢ from front to back. Parted at the depth of the mesh it is a front F
with alpha a_F and the rest; the mesh M with its alpha a_M, what it covers of the pixel, comes
between:

    a_M · F  +  (1 − a_F) · M  +  (1 − a_M) · (the splat as it is without the mesh)

All are scene-linear, F and M premultiplied. Where colours are blended linearly this is the front
over the mesh over the back; so written, what no mesh covers keeps the splat's blending in sRGB.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import CgcError
from .exr import read_exr

NO_DEPTH = np.float32(1e10)
"""What Blender's renderers write where nothing is."""
_FARTHEST_DEPTH = np.float32(1e9)
_INDEX = ("IndexOB.X", "Object Index.X")
"""The pass as Blender names it before and from 5.0 on."""
_CRYPTOMATTE = "CryptoObject"
_CLIPPED = 0.99
"""Share of the far clipping distance from which on a depth is that of nothing."""


@dataclass(frozen=True, eq=False)
class MeshLayer:
    """Meshes rendered alone, on a transparent film."""

    rgba: NDArray[np.float32]
    """(H, W, 4) scene-linear, premultiplied, alpha 0..1."""
    depth: NDArray[np.float32]
    """(H, W) along the camera axis, scene units, `NO_DEPTH` where nothing is."""
    index: NDArray[np.float32] | None = None
    """(H, W) of the objects, where their renderer tells."""
    hashes: NDArray[np.float32] | None = None
    """(H, W, K) of the names of objects that a pixel shows, as Cryptomatte has them."""
    shares: NDArray[np.float32] | None = None
    """(H, W, K) of a pixel that each of these covers, 0..1."""

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


@dataclass(frozen=True)
class MeshFile:
    """Where another renderer left its picture of the meshes."""

    path: Path
    """OpenEXR of several layers, as Blender writes it with the passes Combined and Depth."""
    view_layer: str
    clip_end: float
    """Far clipping distance of the camera, scene units: there are renderers that write it, and not
    `NO_DEPTH`, where nothing is."""
    corner: tuple[int, int]
    """Column and row, px, where the picture that is wanted begins in the one in the file."""


def read_mesh_layer(file: MeshFile, width: int, height: int) -> MeshLayer:
    """Read the meshes of a view layer.

    Args:
        file: where they are.
        width: of the picture that is wanted, px.
        height: likewise.

    Raises:
        CgcError: the file cannot be read, lacks a pass or is too small.
    """
    channels = read_exr(file.path)
    names = [
        f"{file.view_layer}.{name}" for name in (*(f"Combined.{c}" for c in "RGBA"), "Depth.Z")
    ]
    if missing := [name for name in names if name not in channels]:
        raise CgcError(f"The picture of the meshes, {file.path}, lacks the channel {missing[0]}.")
    left, top = file.corner

    def part(name: str) -> NDArray[np.float32]:
        return channels[name][top : top + height, left : left + width]

    *colors, depth = map(part, names)
    if depth.shape != (height, width):
        raise CgcError(
            f"The picture of the meshes, {file.path}, ends before the {width}×{height} pixels from "
            f"{left}, {top} on; render meshes and splats at one size."
        )
    indices = [f"{file.view_layer}.{one}" for one in _INDEX]
    indices = [part(name) for name in indices if name in channels]
    start = f"{file.view_layer}.{_CRYPTOMATTE}"
    ranks = [name[:-1] for name in channels if name.startswith(start) and name.endswith("r")]
    return MeshLayer(
        rgba=np.stack(colors, axis=-1),
        depth=np.where(depth < _CLIPPED * file.clip_end, depth, NO_DEPTH),
        index=indices[0] if indices else None,
        hashes=_stacked([part(rank + channel) for rank in ranks for channel in "rb"]),
        shares=_stacked([part(rank + channel) for rank in ranks for channel in "ga"]),
    )


def _stacked(channels: list[NDArray[np.float32]]) -> NDArray[np.float32] | None:
    return np.stack(channels, axis=-1) if channels else None


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
    layer: MeshLayer,
    plain: NDArray[np.float32],
    front: NDArray[np.float32],
    front_coverage: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Return meshes and splats in one picture (H, W, 4), scene-linear and premultiplied.

    Args:
        layer: the meshes.
        plain: (H, W, 4) the picture without them, scene-linear and premultiplied, on a transparent
            film or before the colour of the world.
        front: (H, W, 4) what of the splat is nearer than `depth_limits`, likewise.
        front_coverage: (H, W) its alpha and that of holdouts, which hide meshes and are not seen.
    """
    covered = layer.rgba[..., 3:]
    meshes = (layer.rgba != 0.0).any(axis=-1)
    result = plain.copy()
    if meshes.any():
        share, passing = covered[meshes], 1.0 - front_coverage[meshes, None]
        result[meshes] = (
            share * front[meshes] + passing * layer.rgba[meshes] + (1.0 - share) * plain[meshes]
        )
    return result
