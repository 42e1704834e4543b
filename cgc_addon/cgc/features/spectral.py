# SPDX-License-Identifier: GPL-3.0-or-later
"""Features without training: which masks does a Gaussian belong to, in 16 numbers.

Each Gaussian votes for the masks it makes up, Vᵢₘ = Σ of its weights in mask m. Gaussians that
share masks in many views have similar rows. A truncated singular value decomposition of V,
normalised by the sums of its rows and columns, keeps that similarity in few numbers (spectral
co-clustering, Dhillon 2001).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...splats.gaussians import FEATURE_DIMENSION
from ..mask_votes import mask_votes
from ..observations import Observation

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix


def votes_for_masks(
    observations: Sequence[Observation], *, minimum_alpha: float = 0.5
) -> csr_matrix:
    """Return the votes V (N, M) of N Gaussians for the M masks of all views, in view pixels.

    Args:
        observations: of all labelled views.
        minimum_alpha: pixels with less coverage are left out.
    """
    from scipy.sparse import csr_matrix, hstack

    columns = []
    for observation in observations:
        usable = (observation.labels > 0) & (observation.coverage() >= minimum_alpha)
        columns.append(mask_votes(observation, counts=usable).votes.T)
    return csr_matrix(hstack(columns))


def spectral_signatures(
    observations: Sequence[Observation],
    dimension: int = FEATURE_DIMENSION,
    *,
    minimum_alpha: float = 0.5,
    seed: int = 0,
) -> NDArray[np.float32]:
    """Return a feature for each Gaussian from the masks it belongs to.

    Args:
        observations: of all labelled views.
        dimension: D, length of a feature.
        minimum_alpha: pixels with less coverage are left out.
        seed: of the randomised decomposition.

    Returns:
        (N, D) directions of length 1; 0 where a Gaussian is in no mask. Where there are fewer
        than D masks, the last columns are 0.

    Raises:
        ValueError: there are no observations.
    """
    from sklearn.utils.extmath import randomized_svd

    if not observations:
        raise ValueError("spectral signatures need at least one labelled view.")
    votes = votes_for_masks(observations, minimum_alpha=minimum_alpha)
    count = observations[0].blending.count
    rank = min(dimension, count, int(votes.indices.max(initial=-1)) + 1)
    signatures = np.zeros((count, dimension), np.float32)
    if rank == 0:
        return signatures
    rows = np.asarray(votes.sum(axis=1)).reshape(-1)
    columns = np.asarray(votes.sum(axis=0)).reshape(-1)
    row = np.repeat(np.arange(len(rows)), np.diff(votes.indptr))
    votes.data /= np.sqrt(rows[row] * columns[votes.indices])
    decomposition: Any = randomized_svd(votes, rank, random_state=seed)
    left, values, _ = decomposition
    embedded = left * values
    lengths = np.linalg.norm(embedded, axis=1, keepdims=True)
    signatures[:, :rank] = np.where(lengths > 1e-6, embedded / np.maximum(lengths, 1e-6), 0)
    return signatures
