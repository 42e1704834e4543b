# SPDX-License-Identifier: GPL-3.0-or-later
"""Splats as SPZ files of version 2, 3 or 4: about a tenth of a PLY."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import CgcError
from ..files import replacing
from . import rotations
from .axes import flipped
from .formats import DEFAULT_SPZ_VERSION
from .gaussians import Gaussians
from .spz import COLOR_SCALE, SCALE_BIAS
from .spz_container import SpzContent, SpzHeader, pack
from .zstandard_codec import NoZstandardError

FRACTIONAL_BITS = 12
"""Of positions, as the library of the format has it; other numbers only where these do not fit."""
FINE_BITS = 16
"""The largest coordinate has as many bits at least, so that small things keep their shape."""
_SIGNED_BITS = 23
_LINEAR_BITS = 7
"""Of harmonics of degree 1, of the 8 that there is room for: fewer bits pack better. With the 5 and
4 that the format's library has by itself, pictures of the sample differ by 36 dB in place of 45."""
_HIGHER_BITS = 6
"""Of harmonics of degree 2 and 3."""


def write_spz(path: Path, gaussians: Gaussians, version: int = DEFAULT_SPZ_VERSION) -> None:
    """Write a splat in COLMAP's axes as SPZ, whole or not at all; features and segments stay out.

    Values beyond what the format can hold go to its ends: scales e^-10 and e^5.9, harmonics of
    degree 1 to 3 from -1 to 1.

    Args:
        path: the file.
        gaussians: N > 0 Gaussians of finite numbers.
        version: 2, 3 or 4.

    Raises:
        CgcError: positions are too far away, the file cannot be written, or it is to be of version
            4, and this Python has no Zstandard.
    """
    stored = flipped(replace(gaussians, features=None, segments=None))
    largest = float(np.abs(stored.means).max())
    bits = _fractional_bits(largest)
    if bits < 0:
        raise CgcError(
            f"{path} was not written: a Gaussian is {largest:g} units away from the origin, SPZ "
            f"holds {1 << _SIGNED_BITS}; delete it, or export as PLY."
        )
    quats = rotations.normalised(stored.quats)
    xyzw = np.concatenate([quats[:, 1:], quats[:, :1]], axis=1)
    attributes = (
        _fixed_point(stored.means, bits),
        _to_bytes(stored.opacities[:, None] * 255),
        _to_bytes(stored.sh[:, 0] * (COLOR_SCALE * 255) + 127.5),
        _to_bytes((stored.log_scales + SCALE_BIAS) * 16),
        _smallest_three(xyzw) if version >= 3 else _first_three(xyzw),
        _harmonics(stored.sh[:, 1:]),
    )
    header = SpzHeader(version, len(stored), stored.sh_degree, bits)
    try:
        data = pack(SpzContent(header, attributes))
    except NoZstandardError:
        raise CgcError(
            f"{path} was not written: for SPZ of version 4 this Python lacks the package "
            "`zstandard`; install it, or choose version 3."
        ) from None
    with replacing(path) as temporary:
        temporary.write_bytes(data)


def _fractional_bits(largest: float) -> int:
    """Return how many bits of a coordinate stand for less than 1; none fit where it is negative."""
    whole = int(np.ceil(np.log2(max(largest, 2.0**-20) * (1 + 1e-6))))
    wanted = max(FRACTIONAL_BITS, FINE_BITS - whole)
    return min(wanted, _SIGNED_BITS - whole, 24)


def _to_bytes(values: NDArray[np.floating]) -> NDArray[np.uint8]:
    return np.clip(np.round(values), 0, 255).astype(np.uint8)


def _fixed_point(means: NDArray[np.float32], bits: int) -> NDArray[np.uint8]:
    """Return the bytes (N, 9) of positions (N, 3): signed numbers of 24 bits, little-endian."""
    top = (1 << _SIGNED_BITS) - 1
    fixed = np.clip(np.round(means.astype(np.float64) * (1 << bits)), -top, top).astype("<i4")
    return np.ascontiguousarray(fixed.view(np.uint8).reshape(-1, 3, 4)[..., :3]).reshape(-1, 9)


def _first_three(xyzw: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Return the bytes (N, 3) of unit quaternions (N, 4): x, y and z of that with w ≥ 0."""
    return _to_bytes(xyzw[:, :3] * np.where(xyzw[:, 3:] < 0, -127.5, 127.5) + 127.5)


def _smallest_three(xyzw: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Return the bytes (N, 4) of unit quaternions (N, 4).

    Two bits say which component is the largest, and positive. The others follow in their order: a
    sign and 9 bits, up to √½.
    """
    rows = np.arange(len(xyzw))
    largest = np.argmax(np.abs(xyzw), axis=1)
    positive = xyzw * np.where(xyzw[rows, largest] < 0, -1, 1)[:, None]
    others = positive[np.arange(4) != largest[:, None]].reshape(-1, 3)
    fields = np.minimum(np.round(np.abs(others) * (511 * 2**0.5)), 511).astype(np.uint32)
    fields |= (others < 0).astype(np.uint32) << 9
    words = largest.astype(np.uint32) << 30 | fields[:, 0] << 20 | fields[:, 1] << 10 | fields[:, 2]
    return words.astype("<u4").view(np.uint8).reshape(-1, 4)


def _harmonics(rest: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return the bytes (N, K · 3) of higher harmonics (N, K, 3), of which the lowest bits are 0."""
    bits = np.where(np.arange(rest.shape[1]) < 3, _LINEAR_BITS, _HIGHER_BITS)
    step = (1 << (8 - bits)).astype(np.float32)[:, None]
    levels = np.round((rest + 1) * (128 / step))
    return np.clip(levels * step, 0, 255).astype(np.uint8).reshape(len(rest), -1)
