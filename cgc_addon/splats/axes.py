# SPDX-License-Identifier: GPL-3.0-or-later
"""From COLMAP's axes to those of OpenGL and glTF, and back, without a digit lost."""

from __future__ import annotations

import numpy as np

from .gaussians import Gaussians
from .spherical_harmonics import signs_under_flips

FLIPS = np.array([1, -1, -1], np.float32)
"""From x right, y up, z back to COLMAP's axes, and back: a half turn around x."""


def flipped(gaussians: Gaussians) -> Gaussians:
    """Return Gaussians after half a turn around x: OpenGL's axes become COLMAP's, and back.

    The numbers stay the same but for their signs.
    """
    signs = signs_under_flips(FLIPS, gaussians.sh_degree)[:, None].astype(np.float32)
    return Gaussians(
        means=gaussians.means * FLIPS,
        log_scales=gaussians.log_scales,
        # The axis of a rotation turns along, and its angle stays.
        quats=gaussians.quats * np.array([1, *FLIPS], np.float32),
        logit_opacities=gaussians.logit_opacities,
        sh=gaussians.sh * signs,
        features=gaussians.features,
        segments=gaussians.segments,
    )
