# SPDX-License-Identifier: GPL-3.0-or-later
"""Label maps of known objects: of all that the mask model answered, what shows each object best.

Painted label maps give a pixel to one mask, whichever it is: a cup and its saucer are one label in
most views even where both were found. Once the objects are known, the answers that show them are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..dataset.mask_answers import MaskAnswers
from .observations import Observation

LEAST_IOU = 0.7
"""Of an answer and what is shown of an object, for its outline to be the better one."""
HELD = 0.5
"""Of an object's pixels: an answer with more of them holds it."""


def with_object_maps(
    observations: Sequence[Observation], segments: NDArray[np.int32]
) -> list[Observation]:
    """Return observations whose label maps show the objects, for votes over borders.

    Views without answers keep their maps.

    Args:
        observations: of all labelled views.
        segments: (N,) object of each Gaussian, 0 = none.
    """
    return [
        one
        if one.answers is None or one.cells is None
        else replace(
            one,
            labels=object_map(
                one.blending.strongest_labels(segments), one.labels, one.answers, one.cells
            ),
        )
        for one in observations
    ]


def object_map(
    shown: NDArray[np.int32],
    painted: NDArray[np.int32],
    answers: MaskAnswers,
    cells: NDArray[np.int32],
) -> NDArray[np.int32]:
    """Return the objects that P pixels of a view are to show (P,), 0 = not known.

    An object that an answer shows has the outline of that answer, smaller objects on top of larger.
    Elsewhere labelled pixels keep what is shown there. So do those of an object that lies in the
    answer to another one and that no answer shows by itself: a tomato on its board, where the best
    answer to the board is both.

    Args:
        shown: (P,) object that the splat shows at each pixel, 0 = none.
        painted: (P,) label map of the view, 0 = unlabelled.
        answers: about the photo of the view.
        cells: (P,) cell of these masks that each pixel lies in, −1 where there is none.
    """
    from scipy.sparse import csr_matrix

    labels = np.where(painted > 0, shown, 0).astype(np.int32)
    known = cells >= 0
    masks = answers.masks().reshape(len(answers), -1)
    objects, row = np.unique(shown[known], return_inverse=True)
    counts = csr_matrix(
        (np.ones(len(row), np.float32), (row, cells[known])), (len(objects), masks.shape[1])
    )
    inside = np.asarray(counts @ masks.T.astype(np.float32))
    pixels = np.bincount(row, minlength=len(objects))
    union = pixels[:, None] + inside.sum(axis=0) - inside
    iou = inside / np.maximum(union, 1)
    iou[objects == 0] = 0
    if not iou.size:
        return labels
    best = iou.argmax(axis=1)
    outlined = iou.max(axis=1) >= LEAST_IOU
    for place in np.argsort(-pixels, kind="stable"):
        if outlined[place]:
            answer = best[place]
            held = ~outlined & (objects > 0) & (inside[:, answer] > HELD * pixels)
            outline = known & masks[answer][np.maximum(cells, 0)]
            labels[outline & ~np.isin(shown, objects[held])] = objects[place]
    return labels
