# SPDX-License-Identifier: GPL-3.0-or-later
"""SPZ files of Niantic and Scaniverse, versions 1 to 4: attribute after attribute, in few bits.

The file's axes are x right, y up, z back, those of OpenGL, unless an extension says otherwise.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .axes import flipped
from .gaussians import Gaussians
from .loaded import LoadedSplat, checked_splat
from .spherical_harmonics import HIGHEST_DEGREE, coefficient_count
from .spz_container import RIGHT_UP_BACK, unpack
from .transform import transform

COLOR_SCALE = 0.15
SCALE_BIAS = np.float32(10)
"""Log-scales are kept in sixteenths above minus this."""


def read_spz(path: Path) -> LoadedSplat:
    """Read an SPZ file, in COLMAP's axes.

    Raises:
        CgcError: it is not SPZ, of a version that is not known, damaged, or cut short; or of
            version 4, and this Python has no Zstandard.
        OSError: it cannot be read.
    """
    content = unpack(path)
    header, notes = content.header, []
    positions, alphas, colors, scales, rotations, harmonics = content.attributes
    if header.version == 1:
        means = np.ascontiguousarray(positions).view("<f2").astype(np.float32)
    else:
        means = _fixed_point(positions) / np.float32(1 << header.fractional_bits)
    xyzw = _smallest_three(rotations) if header.version >= 3 else _first_three(rotations)
    degree = min(header.degree, HIGHEST_DEGREE)
    if degree < header.degree:
        notes.append(f"{path} has spherical harmonics beyond degree 3; those are left out.")
    kept = coefficient_count(degree) - 1
    constant = (colors.astype(np.float32) / 255 - np.float32(0.5)) / np.float32(COLOR_SCALE)
    rest = harmonics.reshape(header.count, header.coefficients, 3)[:, :kept].astype(np.float32)
    shares = alphas[:, 0].astype(np.float32) / np.float32(255)
    with np.errstate(divide="ignore"):  # opacities of 0 and 1 are made finite later
        logits = np.log(shares / (1 - shares))
    stored = Gaussians(
        means=means,
        log_scales=scales.astype(np.float32) / 16 - SCALE_BIAS,
        quats=np.concatenate([xyzw[:, 3:], xyzw[:, :3]], axis=1),
        logit_opacities=logits,
        sh=np.concatenate([constant[:, None], (rest - 128) / 128], axis=1),
    )
    if header.axes == RIGHT_UP_BACK:
        return checked_splat(path, flipped(stored), tuple(notes))
    loaded = checked_splat(path, stored, tuple(notes))
    turned = transform(loaded.gaussians, _to_colmap(header.axes))
    return LoadedSplat(turned, loaded.dropped, loaded.notes)


def _to_colmap(axes: int) -> NDArray[np.float64]:
    """Return the matrix (4, 4) to COLMAP's axes from others, by their number.

    Three bits of the number say whether x goes right and not left, the vertical axis up and not
    down, the axis of depth to its second side: forward in kinds 1 to 8, which have it as z, and
    back in kinds 9 to 16, which have it as y.
    """
    bits = axes - 1
    right = 1.0 if bits & 1 else -1.0
    down = -1.0 if bits & 2 else 1.0
    vertical, depth = (1, 2) if bits < 8 else (2, 1)
    second = bool(bits & 4)
    forward = 1.0 if second == (bits < 8) else -1.0
    matrix = np.zeros((4, 4))
    matrix[0, 0], matrix[1, vertical], matrix[2, depth], matrix[3, 3] = right, down, forward, 1
    return matrix


def _fixed_point(positions: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the signed 24-bit numbers (N, 3) of little-endian bytes (N, 9)."""
    triples = positions.reshape(-1, 3, 3).astype(np.int32)
    values = triples[..., 0] | triples[..., 1] << 8 | triples[..., 2] << 16
    return np.where(values >= 1 << 23, values - (1 << 24), values).astype(np.float32)


def _first_three(rotations: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return quaternions (N, 4) xyzw of bytes (N, 3): x, y and z; w is positive."""
    xyz = rotations.astype(np.float32) / np.float32(127.5) - 1
    w = np.sqrt(np.maximum(0, 1 - (xyz**2).sum(axis=1, keepdims=True)))
    return np.concatenate([xyz, w], axis=1)


def _smallest_three(rotations: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return quaternions (N, 4) xyzw of bytes (N, 4).

    The two highest bits say which component is the largest, and positive. The others follow in
    their order: a sign and 9 bits, up to √½.
    """
    words = np.ascontiguousarray(rotations).view("<u4")[:, 0]
    fields = np.stack([(words >> 20) & 0x3FF, (words >> 10) & 0x3FF, words & 0x3FF], axis=1)
    signs = np.where(fields & 0x200, np.float32(-1), np.float32(1))
    others = signs * (fields & 0x1FF).astype(np.float32) * np.float32(0.5**0.5 / 511)
    largest = (words >> 30).astype(np.intp)
    quats = np.empty((len(words), 4), np.float32)
    quats[np.arange(4) != largest[:, None]] = others.reshape(-1)
    quats[np.arange(len(words)), largest] = np.sqrt(np.maximum(0, 1 - (others**2).sum(axis=1)))
    return quats
