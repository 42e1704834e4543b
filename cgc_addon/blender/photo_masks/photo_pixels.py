# SPDX-License-Identifier: GPL-3.0-or-later
"""Which pixel of a photo lies under which pixel of a viewport that looks through its camera.

The way leads over the direction that a pixel looks in, and so does not ask how large the scene's
picture is, what shape it has, where its centre lies, or how far the view is zoomed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...dataset.scene import PinholeCamera
from ...errors import CgcError


@dataclass(frozen=True)
class PhotoInRegion:
    """Where a photo lies in a region: scaled along both axes, never turned."""

    left: float
    top: float
    """Of the photo's corner, in pixels of the region, which count from its lower left corner."""
    across: float
    """Pixels of the region to the right, for a pixel of the photo to the right."""
    down: float
    """Pixels of the region upwards, for a pixel of the photo downwards: below 0."""

    def to_region(self, u: float, v: float) -> tuple[float, float]:
        """Return where a place in the photo is: u, v in px from its upper left corner."""
        return self.left + u * self.across, self.top + v * self.down

    def to_photo(self, x: float, y: float) -> tuple[float, float]:
        """Return u, v in the photo of a place in the region."""
        return (x - self.left) / self.across, (y - self.top) / self.down


def place_photo(
    projection: NDArray[np.float64], region: tuple[float, float], camera: PinholeCamera
) -> PhotoInRegion:
    """Return where the photo of a camera lies in a region that looks through it.

    Args:
        projection: (4, 4) from the camera's axes (x right, y up, z backward) to the region's
            clip space: `RegionView3D.window_matrix`.
        region: width and height, px.
        camera: the photo's.

    Raises:
        CgcError: the region has no perspective, as in an orthographic view.
    """
    u, v = np.array([0.0, camera.width]), np.array([0.0, camera.height])
    ones = np.ones(2)
    directions = np.stack([(u - camera.cx) / camera.fx, (camera.cy - v) / camera.fy, -ones, ones])
    clip = projection @ directions
    if np.any(clip[3] <= 0.0) or abs(projection[3, 3]) > abs(projection[3, 2]):
        raise CgcError("This view has no perspective; look through the camera of a photo.")
    x, y = (clip[:2] / clip[3] + 1.0) / 2.0 * np.array(region)[:, None]
    across, down = (x[1] - x[0]) / camera.width, (y[1] - y[0]) / camera.height
    return PhotoInRegion(float(x[0]), float(y[0]), float(across), float(down))
