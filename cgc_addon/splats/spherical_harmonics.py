# SPDX-License-Identifier: GPL-3.0-or-later
"""Real spherical harmonics up to degree 3, in the order and with the signs of 3DGS files."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .sphere import fibonacci_sphere

HIGHEST_DEGREE = 3
CONSTANT_BASIS = float(0.5 / np.sqrt(np.pi))
"""Value of the constant harmonic: colour = 0.5 + `CONSTANT_BASIS` · dc + …."""


def coefficient_count(degree: int) -> int:
    """Return how many coefficients each colour channel has up to `degree`: 1, 4, 9 or 16.

    Raises:
        ValueError: the degree is not 0 to 3.

    Example:
        >>> [coefficient_count(degree) for degree in range(4)]
        [1, 4, 9, 16]
    """
    if degree not in range(HIGHEST_DEGREE + 1):
        raise ValueError(f"degree {degree} is not 0 to {HIGHEST_DEGREE}")
    return (degree + 1) ** 2


def degree_in_use(sh: NDArray[np.floating]) -> int:
    """Return the least degree beyond which all coefficients (N, K, 3) are zero.

    Example:
        >>> sh = np.zeros((2, 16, 3))
        >>> sh[1, 5] = 0.1
        >>> degree_in_use(sh), degree_in_use(sh[:, :4])
        (2, 0)
    """
    degree = round(sh.shape[1] ** 0.5) - 1
    while degree and not sh[:, coefficient_count(degree - 1) :].any():
        degree -= 1
    return degree


def basis(directions: NDArray[np.floating], degree: int) -> NDArray[np.float64]:
    """Evaluate the harmonics, with the Condon-Shortley sign (−1)^m as 3DGS does.

    Args:
        directions: (M, 3) unit vectors from the camera centre to the Gaussian.
        degree: 0 to 3.

    Returns:
        (M, K) with K = (degree + 1)²; within each degree m runs from −degree to +degree.

    Example:
        >>> basis(np.array([[0.6, 0.0, 0.8]]), 1).round(3).tolist()  # constant, −y, z, −x
        [[0.282, -0.0, 0.391, -0.293]]
    """
    count = coefficient_count(degree)
    x, y, z = np.asarray(directions, dtype=np.float64).T
    xx, yy, zz = x * x, y * y, z * z
    pi = np.pi
    terms = [
        np.full_like(x, CONSTANT_BASIS),
        -np.sqrt(3 / (4 * pi)) * y,
        np.sqrt(3 / (4 * pi)) * z,
        -np.sqrt(3 / (4 * pi)) * x,
        np.sqrt(15 / (4 * pi)) * x * y,
        -np.sqrt(15 / (4 * pi)) * y * z,
        np.sqrt(5 / (16 * pi)) * (2 * zz - xx - yy),
        -np.sqrt(15 / (4 * pi)) * x * z,
        np.sqrt(15 / (16 * pi)) * (xx - yy),
        -np.sqrt(35 / (32 * pi)) * y * (3 * xx - yy),
        np.sqrt(105 / (4 * pi)) * x * y * z,
        -np.sqrt(21 / (32 * pi)) * y * (4 * zz - xx - yy),
        np.sqrt(7 / (16 * pi)) * z * (2 * zz - 3 * xx - 3 * yy),
        -np.sqrt(21 / (32 * pi)) * x * (4 * zz - xx - yy),
        np.sqrt(105 / (16 * pi)) * z * (xx - yy),
        -np.sqrt(35 / (32 * pi)) * x * (xx - 3 * yy),
    ]
    return np.stack(terms[:count], axis=1)


def rotation_matrix(rotation: NDArray[np.floating], degree: int) -> NDArray[np.float64]:
    """Return the matrix D (K, K) that turns coefficients along with the world.

    With c' = D·c the colour seen from direction R·d after the turn is the colour seen from d
    before: basis(R·d)·c' = basis(d)·c. Each degree is a space of its own under rotation, so D is
    solved degree by degree on directions where the basis is well conditioned.

    Args:
        rotation: R (3, 3) orthogonal; a mirror (determinant −1) is as good as a rotation.
        degree: 0 to 3.

    Example:
        >>> quarter_turn = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
        >>> np.abs(rotation_matrix(quarter_turn, 1)).round(6).tolist()
        [[1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0], [0.0, 0.0, 1.0, 0.0], [0.0, 1.0, 0.0, 0.0]]
    """
    count = coefficient_count(degree)
    before = fibonacci_sphere(64)
    basis_before = basis(before, degree)
    basis_after = basis(before @ np.asarray(rotation, dtype=np.float64).T, degree)
    matrix = np.zeros((count, count))
    for band in range(degree + 1):
        own = slice(band * band, (band + 1) ** 2)
        matrix[own, own] = np.linalg.lstsq(basis_after[:, own], basis_before[:, own], rcond=None)[0]
    return matrix


def rotate(sh: NDArray[np.float32], rotation: NDArray[np.floating]) -> NDArray[np.float32]:
    """Turn the colours of Gaussians along with the world.

    Args:
        sh: (N, K, 3) coefficients, K = 1, 4, 9 or 16.
        rotation: (3, 3) orthogonal.

    Returns:
        (N, K, 3).

    Example:
        >>> sh = np.zeros((1, 4, 3), np.float32)
        >>> sh[0, 2] = 1.0  # brighter seen along z
        >>> upside_down = np.diag([1.0, -1.0, -1.0])
        >>> rotate(sh, upside_down)[0, 2].round(6).tolist()
        [-1.0, -1.0, -1.0]
    """
    degree = round(sh.shape[1] ** 0.5) - 1
    if degree == 0:
        return sh
    matrix = rotation_matrix(rotation, degree)
    return np.matmul(matrix, sh).astype(np.float32)


def signs_under_flips(flips: NDArray[np.floating], degree: int) -> NDArray[np.float64]:
    """Return the factors (K,), 1 or −1, of coefficients when axes change their direction.

    Args:
        flips: (3,) −1 for each axis that is turned around, else 1.
        degree: 0 to 3.

    Example:
        >>> signs_under_flips(np.array([1, 1, -1]), 1).tolist()  # only the harmonic along z turns
        [1.0, 1.0, -1.0, 1.0]
    """
    direction = np.array([[0.36, 0.48, 0.8]])  # no harmonic is 0 there
    return np.sign(basis(direction, degree)[0] * basis(direction * flips, degree)[0])
