# SPDX-License-Identifier: GPL-3.0-or-later
"""What masks of one object, in a few views, say about Gaussians."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...rasterize.blending import BlendingMatrix
from ...splats.gaussians import Gaussians
from ..isolation import isolated
from ..voting import Votes

INSIDE, OUTSIDE, UNKNOWN = 1, 2, 3
"""What a Gaussian is so far."""
LEAST_SEEN = 0.05
"""Pixels: a Gaussian that makes up fewer is hardly shown."""


class Evidence:
    """Adds up the votes for one object: Σ over pixels of weight, inside masks and in all."""

    def __init__(self, count: int) -> None:
        """Begin with nothing known about `count` Gaussians."""
        self._inside = np.zeros(count, np.float32)
        self._seen = np.zeros(count, np.float32)
        self._views = np.zeros(count, np.int32)

    def add(self, blending: BlendingMatrix, mask: NDArray[np.bool_], area: float) -> None:
        """Let the mask of a view vote.

        Args:
            blending: (P, N) of pixels of the view.
            mask: (P,) whether each pixel is inside.
            area: pixels of the view that each of these stands for.
        """
        votes = np.stack([mask, np.ones_like(mask)], axis=1).astype(np.float32)
        inside, seen = (np.float32(area) * blending.scatter(votes)).T
        self._inside += inside
        self._seen += seen
        self._views += inside >= LEAST_SEEN

    def kinds(self) -> NDArray[np.int32]:
        """Return what each Gaussian is so far (N,): `INSIDE`, `OUTSIDE` or `UNKNOWN`."""
        kinds = np.where(self._inside > 0.5 * self._seen, INSIDE, OUTSIDE).astype(np.int32)
        kinds[self._seen < LEAST_SEEN] = UNKNOWN
        return kinds

    def members(self, gaussians: Gaussians) -> NDArray[np.bool_]:
        """Return which Gaussians (N,) are the object.

        They have the votes of as many views as the pipeline asks for, and do not float apart.

        Args:
            gaussians: N.
        """
        labels = (self.kinds() == INSIDE).astype(np.int32)
        proven = Votes(labels, self._views).proven()
        scales = np.exp(gaussians.log_scales)
        return (proven > 0) & ~isolated(gaussians.means, scales, gaussians.quats, proven)
