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

from .observations import Observation

LEAST_IOU = 0.7
"""Of an answer and what is shown of an object, for its outline to be the better one."""


def with_object_maps(
    observations: Sequence[Observation], segments: NDArray[np.int32]
) -> list[Observation]:
    """Return observations whose label maps show the objects, for votes over borders.

    An object that an answer shows has the outline of that answer, smaller objects on top of larger.
    Elsewhere labelled pixels keep what is shown there. Views without answers keep their maps.

    Args:
        observations: of all labelled views.
        segments: (N,) object of each Gaussian, 0 = none.
    """
    return [
        one
        if one.answers is None or one.cells is None
        else replace(one, labels=_map(one, segments))
        for one in observations
    ]


def _map(observation: Observation, segments: NDArray[np.int32]) -> NDArray[np.int32]:
    from scipy.sparse import csr_matrix

    answers, cells = observation.answers, observation.cells
    assert answers is not None
    assert cells is not None
    shown = observation.blending.strongest_labels(segments)
    labels = np.where(observation.labels > 0, shown, 0).astype(np.int32)
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
    for place in np.argsort(-pixels, kind="stable"):
        if iou[place, best[place]] >= LEAST_IOU:
            labels[known & masks[best[place]][np.maximum(cells, 0)]] = objects[place]
    return labels
