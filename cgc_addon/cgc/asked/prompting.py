# SPDX-License-Identifier: GPL-3.0-or-later
"""What is shown of an object in a view becomes a prompt: its box, points on it and beside it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...masks.label_map import without_specks
from ...masks.models.interface import Candidates, Prompt
from .evidence import INSIDE, OUTSIDE

POINTS = 3
"""On the object, and as many at most beside it."""
LEAST_SHOWN = 0.0002
"""Of the view; less of the object cannot be asked for."""
_MARGIN = 0.05
"""Of the sides of the box, that it is larger than what is shown."""
_BESIDE = 0.15
"""Of the sides of the box, within which points beside the object are looked for."""


def prompt_for(
    kinds: NDArray[np.integer], points: NDArray[np.float32], positive: NDArray[np.bool_]
) -> Prompt | None:
    """Return what to ask a mask model for, None where too little of the object is shown.

    Args:
        kinds: (H, W) what is shown at each pixel: `INSIDE`, `OUTSIDE`, or anything else.
        points: (P, 2) x, y that a person gave for this view, px.
        positive: (P,) whether each is on the object.
    """
    from scipy.ndimage import label

    shown = without_specks(kinds == INSIDE, LEAST_SHOWN * kinds.size)
    islands = np.zeros(kinds.shape, np.int32)
    label(shown, output=islands)
    sizes = np.bincount(islands.reshape(-1))
    sizes[0] = 0
    # Crumbs far from the object would make the box that of another thing.
    shown &= (sizes >= 0.1 * sizes.max(initial=0))[islands]
    if shown.sum() < LEAST_SHOWN * kinds.size:
        return None
    rows, columns = np.nonzero(shown)
    left, right = float(columns.min()), float(columns.max()) + 1
    top, bottom = float(rows.min()), float(rows.max()) + 1
    wide, high = right - left, bottom - top
    margin = np.array([-wide, -high, wide, high])
    box = np.array([left, top, right, bottom])
    upper = np.array([kinds.shape[1], kinds.shape[0]] * 2)
    beside = np.zeros(kinds.shape, bool)
    x0, y0, x1, y1 = np.clip(box + _BESIDE * margin, 0, upper).astype(int)
    beside[y0:y1, x0:x1] = kinds[y0:y1, x0:x1] == OUTSIDE
    on = deep_points(shown, POINTS)
    off = deep_points(beside, POINTS)
    return Prompt(
        np.concatenate([points, on, off]).astype(np.float32),
        np.concatenate([positive, np.ones(len(on), bool), np.zeros(len(off), bool)]),
        np.clip(box + _MARGIN * margin, 0, upper).astype(np.float32),
    )


def deep_points(region: NDArray[np.bool_], count: int) -> NDArray[np.float32]:
    """Return points that are far inside a region (H, W), and from each other: (≤ count, 2) x, y."""
    from scipy.ndimage import distance_transform_edt

    inside = np.pad(region, 1)
    found: list[tuple[float, float]] = []
    for _ in range(count):
        depth = np.asarray(distance_transform_edt(inside))
        row, column = np.unravel_index(int(depth.argmax()), depth.shape)
        reach = float(depth[row, column])
        if reach < 1:
            break
        found.append((float(column) - 0.5, float(row) - 0.5))
        rows, columns = np.ogrid[: inside.shape[0], : inside.shape[1]]
        inside = inside & (np.hypot(rows - row, columns - column) > reach)
    return np.array(found, np.float32).reshape(-1, 2)


def agreement(mask: NDArray[np.bool_], kinds: NDArray[np.integer]) -> float:
    """Return the IoU of a mask with what is inside, where anything is known.

    Args:
        mask: (P,) or (H, W).
        kinds: the same shape.
    """
    inside, known = kinds == INSIDE, (kinds == INSIDE) | (kinds == OUTSIDE)
    union = ((mask | inside) & known).sum()
    return float((mask & inside).sum() / union) if union else 0.0


def best_answer(
    answers: Candidates, masks: NDArray[np.bool_], kinds: NDArray[np.integer]
) -> tuple[int, float]:
    """Return which answer to one prompt agrees best with what is known, and how well.

    Args:
        answers: M of them, to one prompt.
        masks: (M, H, W) the same at the size of the view.
        kinds: (H, W) what is shown.
    """
    agreements = [agreement(mask, kinds) for mask in masks]
    best = int(np.argmax(np.array(agreements) + 0.1 * answers.scores[0]))
    return best, agreements[best]
