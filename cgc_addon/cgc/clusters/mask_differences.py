# SPDX-License-Identifier: GPL-3.0-or-later
"""What is left of a mask without those that lie in it: things that no mask shows by themselves.

A saucer under its cup, a bowl with fruit, the lower of two books are seldom answered alone. But the
pile is, and what stands on it, and the one without the other is the thing.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

NESTED = 0.9
"""Of a mask's pixels: with more of them in another mask it lies in that."""
LEAST_SHARE, MOST_SHARE = 0.05, 0.85
"""Of the outer mask: less taken away changes nothing, more leaves but a rim."""
MOST_OF_SEVERAL = 0.6
"""The same where several masks are taken away together."""
APART = 0.1
"""Of a mask's pixels: masks that share fewer do not overlap."""
FEWEST_PIXELS = 12
"""Sampled ones that have to be left."""
SAME_MASK = 0.85
"""IoU above which two masks are one."""


def differences(
    inside: NDArray[np.float32], sizes: NDArray[np.float32], overlaps: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the differences of nested masks of one view, in sampled pixels.

    Each mask is taken from each one that it lies in, and all that lie in a mask without overlapping
    are taken from it together. What is left counts if no mask and no other difference shows it.

    Args:
        inside: (U, M) pixels of U pieces in M masks.
        sizes: (M,) pixels of the masks.
        overlaps: (M, M) pixels that two masks share.

    Returns:
        Pixels (U, D) of the pieces in D differences, and their sizes (D,).

    Example:
        >>> pile_and_cup = np.array([[20, 20], [30, 0]], np.float32)  # of a cup and its saucer
        >>> shared = np.array([[50, 20], [20, 20]], np.float32)
        >>> inside, sizes = differences(pile_and_cup, np.diagonal(shared), shared)
        >>> inside.tolist(), sizes.tolist()
        ([[0.0], [30.0]], [30.0])
    """
    lies_in = overlaps >= NESTED * sizes[:, None]
    lies_in &= (sizes[:, None] > LEAST_SHARE * sizes) & (sizes[:, None] < MOST_SHARE * sizes)
    found_inside, found_sizes = [inside[:, :0].T], [sizes[:0]]
    for outer in range(len(sizes)):
        inner = np.nonzero(lies_in[:, outer])[0]
        found_inside.append((inside[:, [outer]] - inside[:, inner]).T)
        found_sizes.append(sizes[outer] - overlaps[inner, outer])
        several = _apart(inner[sizes[inner] < MOST_OF_SEVERAL * sizes[outer]], sizes, overlaps)
        if len(several) > 1:
            left = inside[:, outer] - inside[:, several].sum(axis=1)
            found_inside.append(left[None])
            found_sizes.append(sizes[[outer]] - overlaps[several, outer].sum())
    all_inside = np.maximum(np.concatenate(found_inside), 0)
    all_sizes = np.concatenate(found_sizes)
    known, known_sizes = inside.T, sizes
    chosen: list[int] = []
    for number in np.nonzero(all_sizes >= FEWEST_PIXELS)[0].tolist():
        own, size = all_inside[number], float(all_sizes[number])
        if _is_new(own, size, known, known_sizes) and _is_new(
            own, size, all_inside[chosen], all_sizes[chosen]
        ):
            chosen.append(number)
    return all_inside[chosen].T.astype(np.float32), all_sizes[chosen].astype(np.float32)


def _apart(
    masks: NDArray[np.int64], sizes: NDArray[np.float32], overlaps: NDArray[np.float32]
) -> list[int]:
    """Return masks that do not overlap, large ones before small ones."""
    chosen: list[int] = []
    for mask in masks[np.argsort(-sizes[masks], kind="stable")].tolist():
        if (overlaps[mask, chosen] < APART * sizes[mask]).all():
            chosen.append(mask)
    return chosen


def _is_new(
    own: NDArray[np.floating],
    size: float,
    others: NDArray[np.floating],
    other_sizes: NDArray[np.floating],
) -> bool:
    """Say whether a mask, pixels of pieces (U,), is none of O others (O, U).

    What two share of a piece is not known; they are taken to share what they can.
    """
    shared = np.minimum(own, others).sum(axis=1)
    return bool((shared <= SAME_MASK * (size + other_sizes - shared)).all())
