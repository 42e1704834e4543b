# SPDX-License-Identifier: GPL-3.0-or-later
"""Products with a sparse matrix of blending weights: plain ones, and what a backend may replace.

The matrix comes as three arrays: `starts` (P + 1,) int64, where each pixel's entries begin,
`gaussians` (E,) int32 and `weights` (E,) float32; see `blending.BlendingMatrix`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

Starts = NDArray[np.int64]
Indices = NDArray[np.int32]
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Products:
    """Functions that belong together: their arguments are checked, and all arrays contiguous."""

    blend: Callable[[Starts, Indices, Floats, Floats], Floats]
    """Starts, Gaussians, weights, values (N, C) → matrix times values (P, C)."""
    scatter: Callable[[Starts, Indices, Floats, Floats, int], Floats]
    """Starts, Gaussians, weights, pixel values (P, C), N → transposed matrix times those (N, C).

    The sums have a fixed order."""
    copy_rows: Callable[[Starts, Indices, Floats, Starts], tuple[Starts, Indices, Floats]]
    """Starts, Gaussians, weights, rows (Q,) → the three arrays of these rows."""
    strongest_labels: Callable[[Starts, Indices, Floats, Indices], Indices]
    """Starts, Gaussians, weights, labels (N,) ≥ 0 → strongest label of each pixel (P,)."""


def blend(starts: Starts, gaussians: Indices, weights: Floats, values: Floats) -> Floats:
    """Multiply the matrix with a value per Gaussian; see `Products`."""
    return _sparse(starts, gaussians, weights, len(values)) @ values


def scatter(
    starts: Starts, gaussians: Indices, weights: Floats, pixel_values: Floats, count: int
) -> Floats:
    """Multiply the transposed matrix with a value per pixel; see `Products`."""
    return _sparse(starts, gaussians, weights, count).T @ pixel_values


def copy_rows(
    starts: Starts, gaussians: Indices, weights: Floats, rows: Starts
) -> tuple[Starts, Indices, Floats]:
    """Copy the entries of chosen rows; see `Products`."""
    lengths = starts[rows + 1] - starts[rows]
    new_starts = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])
    entries = np.arange(new_starts[-1]) + np.repeat(starts[rows] - new_starts[:-1], lengths)
    return new_starts, gaussians[entries], weights[entries]


def strongest_labels(
    starts: Starts, gaussians: Indices, weights: Floats, labels: Indices
) -> Indices:
    """Blend one-hot labels and return the strongest one of each pixel; see `Products`."""
    from scipy.sparse import coo_matrix

    count = len(starts) - 1
    if not count:
        return np.zeros(0, np.int32)
    pixels = np.repeat(np.arange(count), np.diff(starts))
    uncovered = np.maximum(1.0 - np.bincount(pixels, weights, count), 0.0).astype(np.float32)
    columns = int(labels.max(initial=0)) + 1
    # One column a label; what lands on the same place is added. No row is empty: each has label 0.
    shares = coo_matrix(
        (
            np.concatenate([uncovered, weights]),
            (
                np.concatenate([np.arange(count), pixels]),
                np.concatenate([np.zeros(count, np.int32), labels[gaussians]]),
            ),
        ),
        shape=(count, columns),
    ).tocsr()
    firsts = shares.indptr[:-1]
    best = np.repeat(np.maximum.reduceat(shares.data, firsts), np.diff(shares.indptr))
    winners = np.where(shares.data == best, shares.indices, columns)
    return np.minimum.reduceat(winners, firsts).astype(np.int32)


def _sparse(starts: Starts, columns: Indices, values: Floats, width: int) -> csr_matrix:
    from scipy.sparse import csr_matrix

    return csr_matrix((values, columns, starts), shape=(len(starts) - 1, width))


PLAIN_PRODUCTS = Products(blend, scatter, copy_rows, strongest_labels)
