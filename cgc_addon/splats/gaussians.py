# SPDX-License-Identifier: GPL-3.0-or-later
"""A set of Gaussians as plain arrays, in the units that the 3DGS PLY format stores."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FEATURE_DIMENSION = 16
"""Length of the feature that CGC learns for each Gaussian (arXiv 2404.12784)."""


@dataclass(frozen=True, eq=False)
class Gaussians:
    """N Gaussians. Arrays are not copied: treat them as read-only.

    Example:
        >>> one = Gaussians(
        ...     means=np.zeros((1, 3), np.float32),
        ...     log_scales=np.full((1, 3), np.log(0.1), np.float32),
        ...     quats=np.array([[1, 0, 0, 0]], np.float32),
        ...     logit_opacities=np.zeros(1, np.float32),  # half opaque
        ...     sh=np.zeros((1, 9, 3), np.float32),
        ... )
        >>> len(one), one.sh_degree
        (1, 2)
    """

    means: NDArray[np.float32]
    """(N, 3) scene units."""
    log_scales: NDArray[np.float32]
    """(N, 3) natural logarithm of the standard deviations, scene units."""
    quats: NDArray[np.float32]
    """(N, 4) rotation wxyz, any length > 0."""
    logit_opacities: NDArray[np.float32]
    """(N,) opacity before the sigmoid."""
    sh: NDArray[np.float32]
    """(N, K, 3) spherical harmonics, K = (degree + 1)²; colour = 0.5 + Σ sh · basis."""
    features: NDArray[np.float32] | None = None
    """(N, 16) CGC features, not normalised."""
    segments: NDArray[np.int32] | None = None
    """(N,) segment ids as in segments.json, 0 = unassigned."""

    def __len__(self) -> int:
        return len(self.means)

    @property
    def sh_degree(self) -> int:
        """Highest degree of the spherical harmonics stored, 0 to 3."""
        return round(self.sh.shape[1] ** 0.5) - 1

    @property
    def opacities(self) -> NDArray[np.float64]:
        """(N,) 0 to 1."""
        with np.errstate(over="ignore"):
            return 1 / (1 + np.exp(-self.logit_opacities.astype(np.float64)))
