# SPDX-License-Identifier: GPL-3.0-or-later
"""SPZ files of Niantic and Scaniverse, versions 1 to 3: attribute after attribute, in gzip.

The file's axes are x right, y up, z back, those of OpenGL. Nothing of a file is believed: it is
unpacked no further than what its header promises, and that must fit what the file can hold.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import CgcError
from .gaussians import Gaussians
from .loaded import LoadedSplat, checked_splat
from .spherical_harmonics import HIGHEST_DEGREE, coefficient_count, signs_under_flips

GZIP = b"\x1f\x8b"
MAGIC = b"NGSP"
VERSIONS = (1, 2, 3)
HIGHEST_SPZ_DEGREE = 4
LARGEST_RATIO = 1032
"""No gzip file becomes more times larger than this."""
LONGEST_EXTENSIONS = 1 << 16
"""Bytes; one that is known has 20."""
_HEADER = struct.Struct("<4sIIBBBB")
"""Magic, version, count, degree of the harmonics, fractional bits, flags, nothing."""
_FLIPS = np.array([1, -1, -1], np.float32)
"""From x right, y up, z back to COLMAP's axes: a half turn around x."""
_COLOR_SCALE = 0.15
_BIAS = np.float32(10)
"""Log-scales are kept in sixteenths above minus this."""


@dataclass(frozen=True)
class _Header:
    version: int
    count: int
    degree: int
    fractional_bits: int

    @property
    def coefficients(self) -> int:
        """Higher harmonics of each colour channel."""
        return (self.degree + 1) ** 2 - 1

    @property
    def widths(self) -> tuple[int, ...]:
        """Bytes for each Gaussian: position, opacity, colour, scale, rotation, harmonics."""
        position = 6 if self.version == 1 else 9
        rotation = 4 if self.version >= 3 else 3
        return (position, 1, 3, 3, rotation, 3 * self.coefficients)


def read_spz(path: Path) -> LoadedSplat:
    """Read an SPZ file, in COLMAP's axes.

    Raises:
        CgcError: it is not SPZ, of a version that is not known, damaged, or cut short.
        OSError: it cannot be read.
    """
    packed = path.read_bytes()
    unpacker = zlib.decompressobj(wbits=31)
    try:
        head = unpacker.decompress(packed, _HEADER.size)
        header = _header(path, head)
        needed = header.count * sum(header.widths)
        if needed > LARGEST_RATIO * len(packed):
            raise _cut_short(path, header, needed, f"a file of {len(packed)} bytes cannot")
        data = unpacker.decompress(unpacker.unconsumed_tail, needed)
        # Extensions may follow, of some bytes; at the end there is a checksum.
        further = unpacker.decompress(unpacker.unconsumed_tail, LONGEST_EXTENSIONS)
    except zlib.error as error:
        raise CgcError(
            f"{path} is damaged, or no SPZ file: {error}; copy or export the file again."
        ) from error
    if len(further) == LONGEST_EXTENSIONS:
        raise CgcError(
            f"{path} is damaged: its header promises {header.count} Gaussians, but it holds far "
            "more data; export the file again."
        )
    if len(data) < needed or not unpacker.eof:
        raise _cut_short(path, header, needed, f"{len(data)}")
    return _gaussians(path, header, np.frombuffer(data, np.uint8))


def check_version(path: Path, version: int) -> None:
    """Check that a version of SPZ is one of those that are read.

    Raises:
        CgcError: it is not.
    """
    if version not in VERSIONS:
        raise CgcError(
            f"{path} is SPZ of version {version}; versions 1 to 3 are read: "
            "export it as version 3, or as PLY."
        )


def _header(path: Path, head: bytes) -> _Header:
    if len(head) < _HEADER.size or not head.startswith(MAGIC):
        raise CgcError(
            f"{path} is a gzip file, but no SPZ: it does not begin with a header of SPZ; "
            "if it is a packed file of another kind, unpack it first."
        )
    _, version, count, degree, fractional_bits, _, _ = _HEADER.unpack(head)
    check_version(path, version)
    if count == 0:
        raise CgcError(f"{path} holds no Gaussians.")
    if degree > HIGHEST_SPZ_DEGREE or fractional_bits > 24:
        raise CgcError(
            f"{path} is damaged: spherical harmonics of degree {degree} and positions with "
            f"{fractional_bits} fractional bits cannot be; export the file again."
        )
    return _Header(version, count, degree, fractional_bits)


def _gaussians(path: Path, header: _Header, data: NDArray[np.uint8]) -> LoadedSplat:
    """Take the attributes (N · bytes,) apart and turn them into COLMAP's axes."""
    parts = _parts(header, data)
    positions, alphas, colors, scales, rotations, harmonics = parts
    count, notes = header.count, []
    if header.version == 1:
        means = np.ascontiguousarray(positions).view("<f2").astype(np.float32)
    else:
        means = _fixed_point(positions) / np.float32(1 << header.fractional_bits)
    xyz = _smallest_three(rotations) if header.version >= 3 else _first_three(rotations)
    degree = min(header.degree, HIGHEST_DEGREE)
    if degree < header.degree:
        notes.append(f"{path} has spherical harmonics beyond degree 3; those are left out.")
    kept = coefficient_count(degree) - 1
    constant = (colors.astype(np.float32) / 255 - np.float32(0.5)) / np.float32(_COLOR_SCALE)
    rest = harmonics.reshape(count, header.coefficients, 3)[:, :kept].astype(np.float32)
    rest = (rest - 128) / 128 * signs_under_flips(_FLIPS, degree)[1:, None].astype(np.float32)
    shares = alphas[:, 0].astype(np.float32) / np.float32(255)
    with np.errstate(divide="ignore"):  # opacities of 0 and 1 are made finite later
        logits = np.log(shares / (1 - shares))
    # Under a half turn around x, the axis of a rotation turns along and its angle stays.
    quats = np.concatenate([xyz[:, 3:], xyz[:, :3] * _FLIPS], axis=1)
    gaussians = Gaussians(
        means=means * _FLIPS,
        log_scales=scales.astype(np.float32) / 16 - _BIAS,
        quats=quats,
        logit_opacities=logits,
        sh=np.concatenate([constant[:, None], rest], axis=1),
    )
    return checked_splat(path, gaussians, tuple(notes))


def _parts(header: _Header, data: NDArray[np.uint8]) -> Iterator[NDArray[np.uint8]]:
    """Yield the bytes (N, width) of each attribute."""
    start = 0
    for width in header.widths:
        end = start + header.count * width
        yield data[start:end].reshape(header.count, width)
        start = end


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


def _cut_short(path: Path, header: _Header, needed: int, found: str) -> CgcError:
    return CgcError(
        f"{path} is cut short or damaged: its header promises {header.count} Gaussians of "
        f"{needed} bytes, {found} are there; copy or export the file again."
    )
