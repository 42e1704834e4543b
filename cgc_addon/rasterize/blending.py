# SPDX-License-Identifier: GPL-3.0-or-later
"""The linear map from per-Gaussian values to pixels that frozen geometry defines."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class BlendingMatrix:
    """Sparse (P, N) matrix of blending weights αᵢTᵢ, one row a pixel, front to back in each row."""

    starts: NDArray[np.int64]
    """(P + 1,) row p owns the entries starts[p] to starts[p + 1]."""
    gaussians: NDArray[np.int32]
    """(E,) Gaussian of each entry."""
    weights: NDArray[np.float32]
    """(E,) weight of each entry, > 0."""
    count: int
    """N, the number of Gaussians."""

    def __len__(self) -> int:
        """Return P, the number of pixels."""
        return len(self.starts) - 1
