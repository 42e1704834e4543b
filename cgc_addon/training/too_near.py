# SPDX-License-Identifier: GPL-3.0-or-later
"""A capture in units so large that all it shows is nearer to the cameras than what is drawn."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..dataset.plausibility import seen_depths
from ..dataset.scene import Scene
from ..errors import CgcError
from ..rasterize.rules import NEAR_PLANE

_COMFORTABLE = 1.0
"""Scene units away from the cameras: as far as most captures have it."""


def check_not_too_near(place: Path, scene: Scene) -> None:
    """Check that at least half of what the photos show can be drawn.

    Args:
        place: of the dataset, how the error begins.
        scene: to train on.

    Raises:
        CgcError: it is nearer to the cameras than the near plane.
    """
    depths = seen_depths(scene.views, scene.points)
    if not len(depths) or (typical := float(np.median(depths))) >= NEAR_PLANE:
        return
    factor = 10.0 ** np.ceil(np.log10(_COMFORTABLE / typical))
    raise CgcError(
        f"{place}: what the photos show is only {typical:.2g} units away from the cameras, and "
        f"nothing nearer than {NEAR_PLANE:g} is drawn; make cameras and points {factor:,.0f} times "
        "as large, in metres in place of kilometres for example."
    )
