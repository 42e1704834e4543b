# SPDX-License-Identifier: GPL-3.0-or-later
"""How often two numbers come together, as masks and segments do in the pixels of a view."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def count_pairs(
    rows: NDArray[np.integer[Any]], columns: NDArray[np.integer[Any]], shape: tuple[int, int]
) -> NDArray[np.int64]:
    """Return in how many places each row and column stand together (R, C).

    Args:
        rows: any shape, 0..R − 1.
        columns: the same shape, 0..C − 1.
        shape: R, C.

    Example:
        >>> count_pairs(np.array([0, 1, 1]), np.array([2, 0, 0]), (2, 3)).tolist()
        [[0, 0, 1], [2, 0, 0]]
    """
    places = rows.reshape(-1).astype(np.int64) * shape[1] + columns.reshape(-1)
    return np.bincount(places, minlength=shape[0] * shape[1]).reshape(shape)
