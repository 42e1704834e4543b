# SPDX-License-Identifier: GPL-3.0-or-later
"""Which masks of a photo are the same one: counted in cells that they have in common."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SAME_MASK = 0.7
"""IoU above which two masks are one; of the two the better one is kept."""


def more_shared(
    shared: NDArray[np.float32], old: NDArray[np.bool_], new: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """Return how many cells each two of old and new masks have in common, (O + N, O + N).

    Args:
        shared: (O, O) the same of the old ones.
        old: (O, P) inside each mask.
        new: (N, P) likewise.
    """
    flat = new.astype(np.float32)
    # Whole numbers of this size are exact.
    with_old, with_new = old.astype(np.float32) @ flat.T, flat @ flat.T
    return np.block([[shared, with_old], [with_old.T, with_new]])


def different(
    shared: NDArray[np.float32], scores: NDArray[np.floating], same_mask: float = SAME_MASK
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Choose masks of which no two are the same, better ones before worse.

    Args:
        shared: (M, M) cells that each two masks have in common; a mask with itself, all its cells.
        scores: (M,).
        same_mask: IoU above which two masks are one.

    Returns:
        The chosen masks (C,), the best first, and for each mask (M,) the chosen one it is.
    """
    areas = np.diagonal(shared)
    iou = shared / np.maximum(areas[:, None] + areas[None, :] - shared, 1)
    same_as = np.full(len(shared), -1, np.int64)
    chosen: list[int] = []
    for mask in np.argsort(-scores, kind="stable").tolist():
        if same_as[mask] < 0:
            chosen.append(mask)
            same_as[(same_as < 0) & (iou[mask] > same_mask)] = mask
            same_as[mask] = mask
    return np.array(chosen, np.int64), same_as
