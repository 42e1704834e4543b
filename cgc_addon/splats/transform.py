# SPDX-License-Identifier: GPL-3.0-or-later
"""Moving, turning and scaling Gaussians, their harmonics included."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..errors import CgcError
from . import rotations
from .gaussians import Gaussians
from .spherical_harmonics import rotate

UNIFORM = 1e-5
"""Scales that differ by less than this share are taken as one: float32 matrices are no better."""
CHUNK = 1 << 16
"""Gaussians decomposed at once; bounds the memory."""


def transform(gaussians: Gaussians, matrix: NDArray[np.floating]) -> Gaussians:
    """Carry Gaussians over by an affine map; features and segments stay as they are.

    A rotation with uniform scale turns the quaternions and adds to the log-scales. With any other
    linear part A (unequal scales, shear) each covariance becomes A Σ Aᵀ, exactly, in new scales
    and a new rotation. Colours turn by the orthogonal part of A (its polar decomposition), which
    is all of it that can turn them. Mirrors are allowed. A mere translation leaves shapes and
    colours as they are to the last bit.

    Args:
        gaussians: N Gaussians.
        matrix: (4, 4) in column convention, last row 0 0 0 1, as Blender's `matrix_world`.

    Raises:
        CgcError: the matrix is not affine, not finite, or flattens space.

    Example:
        >>> from cgc_addon.splats.initialise import gaussians_from_points
        >>> colors = np.array([[255, 0, 0]], np.uint8)
        >>> one = gaussians_from_points(np.array([[1, 0, 0]]), colors, scales=np.array([0.5]))
        >>> double_and_lift = np.array([[2, 0, 0, 0], [0, 2, 0, 0], [0, 0, 2, 5], [0, 0, 0, 1]])
        >>> moved = transform(one, double_and_lift)
        >>> moved.means.tolist(), np.exp(moved.log_scales).round(6).tolist()
        ([[2.0, 0.0, 5.0]], [[1.0, 1.0, 1.0]])
    """
    linear, translation = _check(np.asarray(matrix, dtype=np.float64))
    if np.array_equal(linear, np.eye(3)):
        means = gaussians.means.astype(np.float64) + translation
        return replace(gaussians, means=means.astype(np.float32))
    left, stretches, right = np.linalg.svd(linear)
    orthogonal = np.asarray(left @ right, dtype=np.float64)
    means = gaussians.means.astype(np.float64) @ linear.T + translation
    if stretches[0] - stretches[2] <= UNIFORM * stretches[0]:
        # A Gaussian is its own mirror image through its centre, so −R turns it as R does.
        turn = orthogonal * np.sign(np.linalg.det(orthogonal))
        quats = rotations.multiply(
            rotations.quaternions(turn), rotations.normalised(gaussians.quats)
        )
        log_scales = gaussians.log_scales + np.log(stretches.mean())
    else:
        quats, log_scales = _decompose(gaussians, linear)
    return replace(
        gaussians,
        means=means.astype(np.float32),
        log_scales=log_scales.astype(np.float32),
        quats=quats.astype(np.float32),
        sh=rotate(gaussians.sh, orthogonal),
    )


def _check(matrix: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the linear part (3, 3) and the translation (3,) of an affine, invertible matrix."""
    if matrix.shape != (4, 4) or not np.isfinite(matrix).all():
        raise CgcError("The transform is not a 4 × 4 matrix of finite numbers.")
    if not np.allclose(matrix[3], (0.0, 0.0, 0.0, 1.0), atol=1e-6):
        raise CgcError("The transform is not affine: its last row must be 0 0 0 1.")
    linear = matrix[:3, :3]
    stretches = np.linalg.svd(linear, compute_uv=False)
    if stretches[2] <= 1e-9 * stretches[0]:
        raise CgcError("The transform has a scale of zero; give every axis a scale first.")
    return linear, matrix[:3, 3]


def _axes(quats: NDArray[np.floating], log_scales: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return R S (N, 3, 3): the columns are a Gaussian's axes, one standard deviation long."""
    return rotations.matrices(quats) * np.exp(log_scales.astype(np.float64))[:, None, :]


def _decompose(
    gaussians: Gaussians, linear: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return quats (N, 4) and log-scales (N, 3) of A Σ Aᵀ.

    Its eigenvectors and the roots of its eigenvalues are the left singular vectors and the
    singular values of A R S; taken from there, thin Gaussians keep their thickness.
    """
    quats = np.empty((len(gaussians), 4))
    log_scales = np.empty((len(gaussians), 3))
    for start in range(0, len(gaussians), CHUNK):
        part = slice(start, start + CHUNK)
        axes = linear @ _axes(gaussians.quats[part], gaussians.log_scales[part])
        vectors, values, _ = np.linalg.svd(axes)
        vectors[..., 2] *= np.sign(np.linalg.det(vectors))[:, None]
        quats[part] = rotations.quaternions(vectors)
        log_scales[part] = np.log(np.maximum(values, np.finfo(np.float32).tiny))
    return quats, log_scales
