# SPDX-License-Identifier: GPL-3.0-or-later
"""Masks of one object that programs smoothed, feathered, or saved as JPEG on the way.

They have two values, black and white as a rule, and where these meet all that lies between: taken
for ids, each of these would be an object.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_LEAST_APART = 64
"""The darkest and the brightest value of such masks; ids are seldom so large."""
_FEWEST_BETWEEN = 4
"""Values between them; a map of few ids has fewer."""
_LARGEST_BETWEEN = 0.5
"""Share of pixels with these; more is no border."""
_LARGEST_ALIKE = 0.8
"""Share of them with the same value below or to the right: objects have areas. Measured: at least
0.98 for label maps, at most 0.6 for masks that were blurred, resized, or saved as JPEG."""


def hard_masks(ids: NDArray) -> NDArray:
    """Return a label map in which a mask with soft borders has hard ones; others as they are.

    Args:
        ids: (H, W) as stored. Those of more than 8 bits are never masks with soft borders.

    Example:
        >>> hard_masks(np.array([[0, 0, 0, 40, 90, 160, 210, 255, 255, 255]], np.uint8)).tolist()
        [[0, 0, 0, 0, 0, 255, 255, 255, 255, 255]]
        >>> hard_masks(np.array([[0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 255, 255]], np.uint8)).tolist()
        [[0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 255, 255]]
    """
    if ids.dtype != np.uint8 or not ids.size:
        return ids
    counts = np.bincount(ids.ravel(), minlength=256)
    values = np.flatnonzero(counts)
    if values[-1] - values[0] < _LEAST_APART or len(values) - 2 < _FEWEST_BETWEEN:
        return ids
    middle = int(values[0] + values[-1] + 1) // 2
    low, high = int(counts[:middle].argmax()), middle + int(counts[middle:].argmax())
    between = (ids != low) & (ids != high)
    alike = np.zeros(ids.shape, np.bool_)
    alike[:, :-1] |= ids[:, :-1] == ids[:, 1:]
    alike[:-1] |= ids[:-1] == ids[1:]
    if np.mean(between) > _LARGEST_BETWEEN or np.mean(alike[between]) > _LARGEST_ALIKE:
        return ids
    # What is dark stands for no object, also where the darkest is not quite black.
    return np.where(ids < middle, 0, high).astype(np.uint8)
