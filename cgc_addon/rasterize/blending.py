# SPDX-License-Identifier: GPL-3.0-or-later
"""The linear map from per-Gaussian values to pixels that frozen geometry defines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import CgcError

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, eq=False)
class BlendingMatrix:
    """Sparse (P, N) matrix of blending weights αᵢTᵢ, one row a pixel, front to back in each row."""

    starts: NDArray[np.int64]
    """(P + 1,) row p owns the entries starts[p] to starts[p + 1]."""
    gaussians: NDArray[np.int32]
    """(E,) Gaussian of each entry."""
    weights: NDArray[np.float32]
    """(E,) weight of each entry, > 0."""
    count: int
    """N, the number of Gaussians."""

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
        from .cpu.kernels.blending import blend_rows

        values = _checked("values", values, self.count)
        result = np.empty((len(self), values.shape[1]), np.float32)
        blend_rows(
            self.starts,
            self.gaussians,
            self.weights,
            values.reshape(-1),
            values.shape[1],
            result.reshape(-1),
        )
        return result

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
        from .cpu.kernels.blending import scatter_rows

        pixel_values = _checked("pixel values", pixel_values, len(self))
        result = np.zeros((self.count, pixel_values.shape[1]), np.float32)
        scatter_rows(
            self.starts,
            self.gaussians,
            self.weights,
            pixel_values.reshape(-1),
            pixel_values.shape[1],
            result.reshape(-1),
        )
        return result

    def rows(self, indices: NDArray[np.integer[Any]]) -> BlendingMatrix:
        """Return the matrix of some of the pixels, in the given order; a pixel may come twice.

        Args:
            indices: (Q,) rows of this matrix, 0..P − 1.

        Raises:
            CgcError: an index is out of range.
        """
        from .cpu.kernels.blending import copy_rows

        chosen = np.ascontiguousarray(indices, np.int64)
        if len(chosen) and not (chosen.min() >= 0 and chosen.max() < len(self)):
            raise CgcError(
                f"Rows {chosen.min()} to {chosen.max()} of a blending matrix were asked for, "
                f"which has {len(self)}."
            )
        starts = np.zeros(len(chosen) + 1, np.int64)
        np.cumsum(self.starts[chosen + 1] - self.starts[chosen], out=starts[1:])
        gaussians = np.empty(starts[-1], np.int32)
        weights = np.empty(starts[-1], np.float32)
        copy_rows(self.starts, self.gaussians, self.weights, chosen, starts, gaussians, weights)
        return BlendingMatrix(starts, gaussians, weights, self.count)


def blend_features(matrix: BlendingMatrix, features: Tensor) -> Tensor:
    """Return `matrix.blend(features)` as a node of torch's graph, differentiable to the features.

    Args:
        matrix: of P pixels and N Gaussians.
        features: (N, C) float32 on the CPU.

    Returns:
        (P, C) float32.
    """
    from .cpu.blending_node import BlendingNode

    return BlendingNode.apply(features, matrix)


def _checked(name: str, values: NDArray[np.float32], rows: int) -> NDArray[np.float32]:
    if values.ndim != 2 or len(values) != rows or values.dtype != np.float32:
        raise CgcError(
            f"A blending matrix was given {name} of shape {values.shape} and type {values.dtype}; "
            f"it needs ({rows}, channels) float32."
        )
    return np.ascontiguousarray(values)
