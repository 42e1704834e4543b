# SPDX-License-Identifier: GPL-3.0-or-later
"""Labels of Gaussians seen at sampled pixels, from cached blending weights."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..rasterize.blending import BlendingMatrix


def strongest_labels(blending: BlendingMatrix, labels: NDArray[np.int32]) -> NDArray[np.int32]:
    """Blend one-hot labels and return the strongest one of each pixel.

    What no Gaussian covers counts as label 0; equal weights go to the smaller label. It is what
    `Backend.render_labels` does, up to weights that the matrix leaves out.

    Args:
        blending: (P, N) weights.
        labels: (N,) ≥ 0, 0 = unassigned.

    Returns:
        (P,) labels.
    """
    return blending.strongest_labels(labels)
