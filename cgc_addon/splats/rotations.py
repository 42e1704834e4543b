# SPDX-License-Identifier: GPL-3.0-or-later
"""Rotations as unit quaternions wxyz and as matrices."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def multiply(first: NDArray[np.floating], second: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the quaternions (..., 4) of turning by `second`, then by `first`, as matrices do.

    Example:
        >>> quarter = np.array([0.5**0.5, 0, 0, 0.5**0.5])  # around z
        >>> multiply(quarter, quarter).round(6).tolist()
        [0.0, 0.0, 0.0, 1.0]
    """
    w1, x1, y1, z1 = np.moveaxis(np.asarray(first, dtype=np.float64), -1, 0)
    w2, x2, y2, z2 = np.moveaxis(np.asarray(second, dtype=np.float64), -1, 0)
    return np.stack(
        [
            w1 * w2 - x1 * x2 - y1 * y2 - z1 * z2,
            w1 * x2 + x1 * w2 + y1 * z2 - z1 * y2,
            w1 * y2 - x1 * z2 + y1 * w2 + z1 * x2,
            w1 * z2 + x1 * y2 - y1 * x2 + z1 * w2,
        ],
        axis=-1,
    )


def normalised(quats: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return quaternions (..., 4) of length 1; none may be zero.

    Example:
        >>> normalised(np.array([3.0, 0.0, 4.0, 0.0])).tolist()
        [0.6, 0.0, 0.8, 0.0]
    """
    wide = np.asarray(quats, dtype=np.float64)
    return wide / np.linalg.norm(wide, axis=-1, keepdims=True)


def matrices(quats: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the rotation matrices (..., 3, 3) of quaternions (..., 4) of any length > 0.

    Example:
        >>> matrices(np.array([1.0, 0.0, 0.0, 1.0])).round(6).tolist()  # x becomes y
        [[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    """
    w, x, y, z = np.moveaxis(normalised(quats), -1, 0)
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def quaternions(rotations: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return unit quaternions (..., 4), w ≥ 0, of rotation matrices (..., 3, 3).

    Of the four ways to solve for them the one that divides by the largest component is taken, so
    half turns lose no digits.

    Example:
        >>> quaternions(np.diag([-1.0, -1.0, 1.0])).tolist()  # half a turn around z
        [0.0, 0.0, 0.0, 1.0]
    """
    m = np.asarray(rotations, dtype=np.float64)
    xx, yy, zz = m[..., 0, 0], m[..., 1, 1], m[..., 2, 2]
    # Row k is the quaternion times four times its own component k.
    w_row = [1 + xx + yy + zz, m[..., 2, 1] - m[..., 1, 2], m[..., 0, 2] - m[..., 2, 0]]
    w_row.append(m[..., 1, 0] - m[..., 0, 1])
    xy, xz, yz = (
        m[..., 0, 1] + m[..., 1, 0],
        m[..., 0, 2] + m[..., 2, 0],
        m[..., 1, 2] + m[..., 2, 1],
    )
    candidates = np.stack(
        [
            np.stack(w_row, axis=-1),
            np.stack([w_row[1], 1 + xx - yy - zz, xy, xz], axis=-1),
            np.stack([w_row[2], xy, 1 - xx + yy - zz, yz], axis=-1),
            np.stack([w_row[3], xz, yz, 1 - xx - yy + zz], axis=-1),
        ],
        axis=-2,
    )
    diagonal = np.diagonal(candidates, axis1=-2, axis2=-1)
    best = np.argmax(diagonal, axis=-1)[..., None, None]
    quats = normalised(np.take_along_axis(candidates, best, axis=-2)[..., 0, :])
    return np.where(quats[..., :1] < 0, -quats, quats)


def turning_z_to(directions: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return unit quaternions (N, 4) that turn the z axis to `directions` (N, 3), the shortest way.

    Args:
        directions: unit vectors.

    Example:
        >>> turning_z_to(np.array([[0.0, 0.0, 1.0], [0.0, 0.0, -1.0]])).tolist()
        [[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0]]
    """
    x, y, z = np.asarray(directions, dtype=np.float64).T
    # The cross product of both is sin and their dot product cos; half of the angle is wanted.
    quats = np.stack([1.0 + z, 0.0 - y, x, np.zeros_like(z)], axis=-1)
    quats[1.0 + z < 1e-9] = (0.0, 1.0, 0.0, 0.0)
    return normalised(quats).astype(np.float32)
