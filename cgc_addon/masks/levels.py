# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of the masks found in a photo are objects, and which are parts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .proposals import Proposals


def object_masks(found: Proposals) -> NDArray[np.int64]:
    """Return the masks (K,) that are objects: those that were the best answer to some point."""
    return np.nonzero(found.best_of_point)[0]


def part_masks(found: Proposals) -> NDArray[np.int64]:
    """Return the masks (K,) of parts: all of them, since smaller ones end on top."""
    return np.arange(len(found.scores))
