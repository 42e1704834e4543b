# SPDX-License-Identifier: GPL-3.0-or-later
"""The linear map from per-Gaussian values to pixels that frozen geometry defines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import CgcError
from .products import PLAIN_PRODUCTS, Products


@dataclass(frozen=True, eq=False)
class BlendingMatrix:
    """Sparse (P, N) matrix of blending weights αᵢTᵢ, one row a pixel, front to back in each row.

    Example:
        >>> matrix = BlendingMatrix(  # one pixel shows Gaussians 2 and 0, the other Gaussian 1
        ...     starts=np.array([0, 2, 3]),
        ...     gaussians=np.array([2, 0, 1], np.int32),
        ...     weights=np.array([0.75, 0.25, 0.5], np.float32),
        ...     count=3,
        ... )
        >>> matrix.blend(np.array([[4], [2], [8]], np.float32)).tolist()
        [[7.0], [1.0]]
        >>> matrix.scatter(np.array([[4], [2]], np.float32)).tolist()
        [[1.0], [1.0], [3.0]]
        >>> matrix.rows(np.array([1, 1])).blend(np.array([[4], [2], [8]], np.float32)).tolist()
        [[1.0], [1.0]]
        >>> matrix.strongest_labels(np.array([5, 5, 9], np.int32)).tolist()
        [9, 0]
    """

    starts: NDArray[np.int64]
    """(P + 1,) row p owns the entries starts[p] to starts[p + 1]."""
    gaussians: NDArray[np.int32]
    """(E,) Gaussian of each entry."""
    weights: NDArray[np.float32]
    """(E,) weight of each entry, > 0."""
    count: int
    """N, the number of Gaussians."""
    products: Products = PLAIN_PRODUCTS
    """How it is multiplied: the backend that made it may have something faster."""

    def __len__(self) -> int:
        """Return P, the number of pixels."""
        return len(self.starts) - 1

    def blend(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return what values of Gaussians look like at the pixels: the matrix times `values`.

        Args:
            values: (N, C) float32.

        Returns:
            (P, C) float32.

        Raises:
            CgcError: `values` has another shape or type.
        """
        values = _checked("values", values, self.count)
        return self.products.blend(self.starts, self.gaussians, self.weights, values)

    def scatter(self, pixel_values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return pixel values gathered at Gaussians: the transposed matrix times `pixel_values`.

        The sums have a fixed order: the result is the same bit for bit every time.

        Args:
            pixel_values: (P, C) float32.

        Returns:
            (N, C) float32.

        Raises:
            CgcError: `pixel_values` has another shape or type.
        """
        pixel_values = _checked("pixel values", pixel_values, len(self))
        return self.products.scatter(
            self.starts, self.gaussians, self.weights, pixel_values, self.count
        )

    def rows(self, indices: NDArray[np.integer[Any]]) -> BlendingMatrix:
        """Return the matrix of some of the pixels, in the given order; a pixel may come twice.

        Args:
            indices: (Q,) rows of this matrix, 0..P − 1.

        Raises:
            CgcError: an index is out of range.
        """
        chosen = np.ascontiguousarray(indices, np.int64)
        if len(chosen) and not (chosen.min() >= 0 and chosen.max() < len(self)):
            raise CgcError(
                f"Rows {chosen.min()} to {chosen.max()} of a blending matrix were asked for, "
                f"which has {len(self)}."
            )
        rows = self.products.copy_rows(self.starts, self.gaussians, self.weights, chosen)
        return BlendingMatrix(*rows, self.count, self.products)

    def strongest_labels(self, labels: NDArray[np.int32]) -> NDArray[np.int32]:
        """Blend one-hot labels and return the strongest one of each pixel.

        What no Gaussian covers counts as label 0; equal weights go to the smaller label. It is what
        `Backend.render_labels` does, up to weights that the matrix leaves out.

        Args:
            labels: (N,) ≥ 0, 0 = unassigned.

        Returns:
            (P,) labels.

        Raises:
            CgcError: there is not one label ≥ 0 for each Gaussian.
        """
        if labels.shape != (self.count,) or (len(labels) and labels.min() < 0):
            raise CgcError(
                f"A blending matrix was given labels of shape {labels.shape} from "
                f"{labels.min(initial=0)} on; it needs one ≥ 0 for each of {self.count} Gaussians."
            )
        return self.products.strongest_labels(
            self.starts, self.gaussians, self.weights, np.ascontiguousarray(labels, np.int32)
        )


def _checked(name: str, values: NDArray[np.float32], rows: int) -> NDArray[np.float32]:
    if values.ndim != 2 or len(values) != rows or values.dtype != np.float32:
        raise CgcError(
            f"A blending matrix was given {name} of shape {values.shape} and type {values.dtype}; "
            f"it needs ({rows}, channels) float32."
        )
    return np.ascontiguousarray(values)
