# SPDX-License-Identifier: GPL-3.0-or-later
"""The best segmentation that a splat's geometry allows: every Gaussian is told its true object."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .mask_votes import mask_votes
from .observations import Observation


def exact_labels(observations: Sequence[Observation]) -> NDArray[np.int32]:
    """Return the object that most of each Gaussian's pixels belong to.

    Rendered, these labels are a ceiling for every method that labels whole Gaussians: what is
    still wrong comes from Gaussians that straddle edges.

    Args:
        observations: of the training views with ground truth for labels; ids agree between views,
            and 0 is background, which gets votes like any object.

    Returns:
        (N,) ground truth ids; 0 where background is commonest, or nothing is seen.
    """
    if not observations:
        return np.zeros(0, np.int32)
    ids = np.unique(np.concatenate([observation.labels for observation in observations]))
    ids = np.union1d(ids, [0])
    votes = np.zeros((observations[0].blending.count, len(ids)))
    for observation in observations:
        everywhere = np.ones(len(observation.labels), np.bool_)
        found = mask_votes(observation, counts=everywhere)
        votes[:, np.searchsorted(ids, found.masks)] += found.votes.T.toarray()
    return ids[votes.argmax(axis=1)].astype(np.int32)
