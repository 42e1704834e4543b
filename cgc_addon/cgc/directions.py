# SPDX-License-Identifier: GPL-3.0-or-later
"""Features as directions: what counts is where they point, not how long they are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def unit(features: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return features (N, D) at length 1; those of length 0 stay 0.

    Example:
        >>> unit(np.array([[0.0, 5.0], [0.0, 0.0]])).tolist()
        [[0.0, 1.0], [0.0, 0.0]]
    """
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    return np.where(lengths > 0, features / np.maximum(lengths, 1e-30), 0).astype(np.float32)
