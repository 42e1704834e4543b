# SPDX-License-Identifier: GPL-3.0-or-later
"""SPZ files as such: a header, and for each attribute the bytes of all Gaussians.

Versions 1 to 3 are one gzip stream of all that. Version 4 has a plain header, extensions, a table
of sizes, and a Zstandard frame for each attribute. Nothing of a file is believed: it is unpacked no
further than what its header promises, and that must fit what the file can hold.
"""

from __future__ import annotations

import gzip
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import CgcError
from . import zstandard_codec as zstandard

GZIP = b"\x1f\x8b"
MAGIC = b"NGSP"
GZIP_LEVEL = 6
"""Of compression; 9 takes six times as long and saves a fiftieth."""
VERSIONS = (1, 2, 3, 4)
HIGHEST_SPZ_DEGREE = 4
LARGEST_RATIO = 1032
"""No gzip file becomes more times larger than this."""
LONGEST_EXTENSIONS = 1 << 16
"""Bytes; those that are known have up to some dozens."""
COORDINATE_SYSTEM = 0xADBE0003
"""Extension that says which axes the file has."""
RIGHT_UP_BACK = 4
"""The axes of a file that says nothing."""
_HEADER = struct.Struct("<4sIIBBBB")
"""Magic, version, count, degree of the harmonics, fractional bits, flags, number of frames."""
_FURTHER = struct.Struct("<I12x")
"""Place of the table of sizes, in version 4."""
_SIZES = struct.Struct("<QQ")
"""Bytes of a frame, packed and unpacked."""
_EXTENSION = struct.Struct("<II")
"""Kind, bytes that follow."""
_HAS_EXTENSIONS = 2


@dataclass(frozen=True)
class SpzHeader:
    """What a file says of itself."""

    version: int
    count: int
    degree: int
    fractional_bits: int
    axes: int = RIGHT_UP_BACK
    """Which way x, y and z point, as a number of the extension `COORDINATE_SYSTEM`."""

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


@dataclass(frozen=True, eq=False)
class SpzContent:
    """A file, unpacked."""

    header: SpzHeader
    attributes: tuple[NDArray[np.uint8], ...]
    """For each of `SpzHeader.widths` the bytes (N, width)."""


def unpack(path: Path) -> SpzContent:
    """Read a file of any version that is known.

    Raises:
        CgcError: it is not SPZ, of a version that is not known, damaged or cut short; or it is of
            version 4, and this Python has no Zstandard.
        OSError: it cannot be read.
    """
    packed = path.read_bytes()
    return _unpack_frames(path, packed) if packed.startswith(MAGIC) else _unpack_gzip(path, packed)


def pack(content: SpzContent) -> bytes:
    """Return the bytes of a file of version 2, 3 or 4.

    Raises:
        NoZstandardError: of version 4, when this Python has no Zstandard.
    """
    header = content.header
    parts = [part.tobytes() for part in content.attributes if part.size]
    frames = len(parts) if header.version >= 4 else 0
    head = _HEADER.pack(
        *(MAGIC, header.version, header.count, header.degree, header.fractional_bits, 0, frames)
    )
    if header.version < 4:
        return gzip.compress(b"".join([head, *parts]), GZIP_LEVEL, mtime=0)
    packed = [zstandard.compress(part) for part in parts]
    sizes = [_SIZES.pack(len(p), len(part)) for p, part in zip(packed, parts, strict=True)]
    return b"".join([head, _FURTHER.pack(_HEADER.size + _FURTHER.size), *sizes, *packed])


# ---- Versions 1 to 3 -----------------------------------------------------------------------------


def _unpack_gzip(path: Path, packed: bytes) -> SpzContent:
    unpacker = zlib.decompressobj(wbits=31)
    try:
        head = unpacker.decompress(packed, _HEADER.size)
        header, has_extensions = _header(path, head)
        if header.version >= 4:
            raise CgcError(
                f"{path} is damaged: SPZ of version {header.version} is not in gzip; "
                "export it again."
            )
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
    if has_extensions:
        header = _with_extensions(path, header, further)
    attributes, start = [], 0
    for width in header.widths:
        end = start + header.count * width
        attributes.append(_bytes(data[start:end], header.count, width))
        start = end
    return SpzContent(header, tuple(attributes))


# ---- Version 4 -----------------------------------------------------------------------------------


def _unpack_frames(path: Path, packed: bytes) -> SpzContent:
    header, has_extensions = _header(path, packed)
    if header.version < 4:
        raise CgcError(
            f"{path} is damaged: SPZ of version {header.version} is in gzip; export it again."
        )
    first = _HEADER.size + _FURTHER.size
    widths = [width for width in header.widths if width]
    needed = header.count * sum(widths)
    frames = packed[_HEADER.size - 1] if len(packed) >= first else 0
    place = _FURTHER.unpack_from(packed, _HEADER.size)[0] if len(packed) >= first else 0
    start = place + frames * _SIZES.size
    if not first <= place <= start <= len(packed):
        raise _cut_short(path, header, needed, f"{len(packed)}")
    if frames < len(widths):
        raise CgcError(
            f"{path} is damaged: it has {frames} of {len(widths)} attributes; export it again."
        )
    if has_extensions:
        header = _with_extensions(path, header, packed[first:place])
    attributes = []
    for index, width in enumerate(header.widths):
        if not width:
            attributes.append(np.zeros((header.count, 0), np.uint8))
            continue
        size, promised = _SIZES.unpack_from(packed, place + index * _SIZES.size)
        if promised != header.count * width or start + size > len(packed):
            raise _cut_short(path, header, needed, f"{len(packed)} packed ones")
        data = _frame(path, packed[start : start + size], promised)
        attributes.append(_bytes(data, header.count, width))
        start += size
    return SpzContent(header, tuple(attributes))


def _frame(path: Path, packed: bytes, size: int) -> bytes:
    """Return the content of a frame, which must have this size."""
    try:
        data = zstandard.decompress(packed, size)
    except zstandard.NoZstandardError:
        raise CgcError(
            f"{path} is SPZ of version 4, for which this Python lacks the package `zstandard`: "
            "install it, or export the splat as version 3."
        ) from None
    except ValueError as error:
        raise CgcError(f"{path} is damaged: {error}; copy or export the file again.") from error
    if len(data) != size:
        raise CgcError(
            f"{path} is damaged: an attribute has {len(data)} bytes in place of {size}; copy or "
            "export the file again."
        )
    return data


# ---- Both ----------------------------------------------------------------------------------------


def _header(path: Path, head: bytes) -> tuple[SpzHeader, bool]:
    """Return the header, and whether the file has extensions."""
    if len(head) < _HEADER.size or not head.startswith(MAGIC):
        raise CgcError(
            f"{path} is a gzip file, but no SPZ: it does not begin with a header of SPZ; "
            "if it is a packed file of another kind, unpack it first."
        )
    _, version, count, degree, fractional_bits, flags, _ = _HEADER.unpack_from(head)
    if version not in VERSIONS:
        raise CgcError(
            f"{path} is SPZ of version {version}; versions 1 to {VERSIONS[-1]} are read: "
            "export it as one of these, or as PLY."
        )
    if count == 0:
        raise CgcError(f"{path} holds no Gaussians.")
    if degree > HIGHEST_SPZ_DEGREE or fractional_bits > 24:
        raise CgcError(
            f"{path} is damaged: spherical harmonics of degree {degree} and positions with "
            f"{fractional_bits} fractional bits cannot be; export the file again."
        )
    return SpzHeader(version, count, degree, fractional_bits), bool(flags & _HAS_EXTENSIONS)


def _with_extensions(path: Path, header: SpzHeader, data: bytes) -> SpzHeader:
    """Return the header with what extensions say of the axes; others are passed over."""
    place, axes = 0, header.axes
    while place + _EXTENSION.size <= len(data):
        kind, length = _EXTENSION.unpack_from(data, place)
        place += _EXTENSION.size
        if kind == COORDINATE_SYSTEM and length >= 4 and place + 4 <= len(data):
            axes = int.from_bytes(data[place : place + 4], "little") or RIGHT_UP_BACK
        place += length
    if axes not in range(1, 17):
        raise CgcError(
            f"{path} has axes of kind {axes}, which are not known; export it without the "
            "extension for coordinate systems, or as PLY."
        )
    return SpzHeader(header.version, header.count, header.degree, header.fractional_bits, axes)


def _bytes(data: bytes, count: int, width: int) -> NDArray[np.uint8]:
    return np.frombuffer(data, np.uint8).reshape(count, width)


def _cut_short(path: Path, header: SpzHeader, needed: int, found: str) -> CgcError:
    return CgcError(
        f"{path} is cut short or damaged: its header promises {header.count} Gaussians of "
        f"{needed} bytes, {found} are there; copy or export the file again."
    )
