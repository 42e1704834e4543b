# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to be drawn and from where, as plain arrays: the wall between scene and graphics card."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...rasterize.rules import ALPHA_LIMIT, ALPHA_MINIMUM
from ...splats.gaussians import Gaussians
from ..common.display_attributes import sigmoid

if TYPE_CHECKING:
    from bpy.types import RegionView3D

FARTHEST = float(np.sqrt(2.0 * np.log(ALPHA_LIMIT / ALPHA_MINIMUM)))
"""Standard deviations at which the most opaque Gaussian falls below the least alpha."""


@dataclass(frozen=True, eq=False)
class StoredSplat:
    """The Gaussians of one point cloud; a new object whenever their numbers change."""

    gaussians: Gaussians
    """N of them, in the space of the object."""
    feature_colors: NDArray[np.float32] | None = None
    """(N, 3) sRGB, the principal directions of the features; None where they are not shown."""

    @cached_property
    def areas(self) -> NDArray[np.float32]:
        """Opacity times the area of its two longest axes, of each Gaussian (N,), scene units²."""
        longest = np.sort(self.gaussians.log_scales, axis=1)[:, 1:].sum(axis=1)
        return (np.exp(longest) * sigmoid(self.gaussians.logit_opacities)).astype(np.float32)

    @cached_property
    def reaches(self) -> NDArray[np.float32]:
        """How far from its middle each Gaussian is seen at most (N,), scene units."""
        return np.float32(FARTHEST) * np.exp(self.gaussians.log_scales.max(axis=1))

    @cached_property
    def largest_first(self) -> NDArray[np.int32]:
        """Indices of the Gaussians (N,) by falling area."""
        return np.argsort(-self.areas).astype(np.int32)


@dataclass(frozen=True, eq=False)
class Appearance:
    """A splat at one place: several may show the same Gaussians."""

    splat: StoredSplat
    matrix: NDArray[np.float64]
    """(4, 4) from the splat's space to the world, column convention."""
    color: tuple[float, float, float] = (0.5, 0.5, 0.5)
    """Of the segment, sRGB."""
    selected: bool = False
    active: bool = False


@dataclass(frozen=True, eq=False)
class Viewpoint:
    """Where a region looks from, in Blender's conventions: right, up, and backward."""

    world_to_view: NDArray[np.float64]
    """(4, 4) rigid: `RegionView3D.view_matrix`."""
    projection: NDArray[np.float64]
    """(4, 4) from the view to clip space: `RegionView3D.window_matrix`."""
    width: int
    """px, as the height."""
    height: int

    @property
    def is_perspective(self) -> bool:
        """Whether things look smaller from farther away."""
        return bool(self.projection[3, 3] == 0.0)


def viewpoint_of(view: RegionView3D, width: int, height: int) -> Viewpoint:
    """Return where a region looks from.

    Args:
        view: of the region.
        width: of the region, px.
        height: likewise.
    """
    return Viewpoint(
        np.array(view.view_matrix, dtype=np.float64),
        np.array(view.window_matrix, dtype=np.float64),
        width,
        height,
    )
