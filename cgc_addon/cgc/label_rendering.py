# SPDX-License-Identifier: GPL-3.0-or-later
"""Labels of Gaussians seen at sampled pixels, from cached blending weights."""

from __future__ import annotations

import numba
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
    strongest = np.zeros(len(blending), np.int32)
    _strongest_labels(
        blending.starts,
        blending.gaussians,
        blending.weights,
        np.ascontiguousarray(labels, np.int32),
        np.zeros(int(labels.max(initial=0)) + 1, np.float32),
        strongest,
    )
    return strongest


@numba.njit(cache=True, nogil=True)
def _strongest_labels(starts, gaussians, weights, labels, sums, strongest):
    for pixel in range(len(starts) - 1):
        begin, end = starts[pixel], starts[pixel + 1]
        uncovered = np.float32(1.0)
        for entry in range(begin, end):
            sums[labels[gaussians[entry]]] += weights[entry]
            uncovered -= weights[entry]
        best, most = np.int32(0), sums[0] + max(uncovered, np.float32(0.0))
        for entry in range(begin, end):
            label = labels[gaussians[entry]]
            if label > 0 and (sums[label] > most or (sums[label] == most and label < best)):
                best, most = label, sums[label]
        for entry in range(begin, end):
            sums[labels[gaussians[entry]]] = 0.0
        sums[0] = 0.0
        strongest[pixel] = best
