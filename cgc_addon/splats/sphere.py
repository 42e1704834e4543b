# SPDX-License-Identifier: GPL-3.0-or-later
"""Directions spread evenly over all of space."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def fibonacci_sphere(count: int) -> NDArray[np.float64]:
    """Return `count` unit vectors (count, 3) spread evenly: a spiral of golden angles.

    Example:
        >>> fibonacci_sphere(4)[:, 2].tolist()  # every height has the same share of the sphere
        [0.75, 0.25, -0.25, -0.75]
    """
    index = np.arange(count)
    z = 1.0 - (2.0 * index + 1.0) / max(count, 1)
    angle = index * (np.pi * (3.0 - np.sqrt(5.0)))
    ring = np.sqrt(1.0 - z * z)
    return np.stack([ring * np.cos(angle), ring * np.sin(angle), z], axis=1)
