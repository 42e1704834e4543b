# SPDX-License-Identifier: GPL-3.0-or-later
"""What one photo shows, as planes in space."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Surfaces:
    """A plane of inverse depth at each cell of a photo."""

    planes: NDArray[np.float32]
    """(rows, columns, 3) w, wₓ, w_y: inverse depth at the middle of the cell, 1 / scene units, and
    how it changes over a pixel to the right and down."""
    costs: NDArray[np.float32]
    """(rows, columns) 1 − correlation with the neighbours, 2 where nothing was found."""
    stride: int
    """Pixels between cells."""

    def middles(
        self, rows: NDArray[np.int64], columns: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return where cells are in the photo: x, y, px."""
        first = self.stride // 2 + 0.5
        return columns * self.stride + first, rows * self.stride + first
