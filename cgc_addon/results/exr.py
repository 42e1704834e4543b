# SPDX-License-Identifier: GPL-3.0-or-later
"""Channels of OpenEXR pictures as Blender writes them: scan lines of one part, plain or zlib."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import CgcError
from ..files import check_is_file

_MAGIC = b"\x76\x2f\x31\x01"
_DAMAGED = (struct.error, zlib.error, ValueError, LookupError, OverflowError, MemoryError)
_OTHER_KINDS = 0x1A00
"""Flags of the version: tiles, deep data, several parts."""
_LINES_AT_ONCE = {0: 1, 2: 1, 3: 16}
"""Lines of a block by compression: none, ZIPS, ZIP."""
_KINDS = {0: np.dtype("<u4"), 1: np.dtype("<f2"), 2: np.dtype("<f4")}


@dataclass(frozen=True)
class _Header:
    kinds: Mapping[str, np.dtype]
    """Type of each channel, in the order of the file."""
    compression: int
    window: tuple[int, int, int, int]
    """Of the pixels that are stored: left, top, right and bottom, both ends included."""
    end: int
    """Where the table of offsets begins."""


def read_exr(path: Path) -> dict[str, NDArray[np.float32]]:
    """Return the channels (H, W) of a picture by name: "ViewLayer.Combined.R".

    Raises:
        CgcError: the file cannot be read, is no OpenEXR picture, of another kind or damaged.
    """
    try:
        check_is_file(path)
        data = path.read_bytes()
    except OSError as error:
        raise CgcError(f"{path} cannot be read: {error.strerror or error}.") from error
    if data[:4] != _MAGIC:
        raise CgcError(f"{path} is no OpenEXR picture.")
    try:
        return _channels(data)
    except _DAMAGED as error:
        raise CgcError(f"{path} is damaged or not a plain OpenEXR picture ({error}).") from error


def _channels(data: bytes) -> dict[str, NDArray[np.float32]]:
    (version,) = struct.unpack_from("<I", data, 4)
    if version & _OTHER_KINDS:
        raise ValueError("tiles, deep data or several parts")
    header = _header(data)
    left, top, right, bottom = header.window
    width, height = right - left + 1, bottom - top + 1
    pictures = {name: np.empty((height, width), np.float32) for name in header.kinds}
    line_bytes = width * sum(kind.itemsize for kind in header.kinds.values())
    at_once = _LINES_AT_ONCE[header.compression]
    blocks = -(-height // at_once)
    for offset in np.frombuffer(data, "<u8", blocks, header.end).tolist():
        first, size = struct.unpack_from("<ii", data, offset)
        first -= top
        count = min(at_once, height - first)
        lines = np.frombuffer(
            _unpacked(data[offset + 8 : offset + 8 + size], count * line_bytes), np.uint8
        ).reshape(count, line_bytes)
        place = 0
        for name, kind in header.kinds.items():
            part = np.ascontiguousarray(lines[:, place : place + width * kind.itemsize])
            pictures[name][first : first + count] = part.view(kind)
            place += width * kind.itemsize
    return pictures


def _header(data: bytes) -> _Header:
    attributes: dict[str, bytes] = {}
    place = 8
    while data[place] != 0:
        name, place = _text(data, place)
        _kind, place = _text(data, place)
        (size,) = struct.unpack_from("<i", data, place)
        attributes[name] = data[place + 4 : place + 4 + size]
        place += 4 + size
    window = struct.unpack("<4i", attributes["dataWindow"])
    kinds = dict(_kinds(attributes["channels"]))
    return _Header(kinds, attributes["compression"][0], window, place + 1)


def _kinds(listed: bytes) -> Iterator[tuple[str, np.dtype]]:
    place = 0
    while listed[place] != 0:
        name, place = _text(listed, place)
        kind, *sampling = struct.unpack_from("<i4xii", listed, place)
        if sampling != [1, 1]:
            raise ValueError(f"{name} has fewer pixels than others")
        yield name, _KINDS[kind]
        place += 16


def _text(data: bytes, start: int) -> tuple[str, int]:
    """Return a text and what follows the zero at its end."""
    end = data.index(0, start)
    return data[start:end].decode(), end + 1


def _unpacked(block: bytes, size: int) -> bytes:
    """Return the bytes of a block: zlib, differences, and bytes regrouped by even and odd place."""
    if len(block) == size:  # stored as it is where packing gains nothing
        return block
    differences = np.frombuffer(zlib.decompress(block), np.uint8)
    if len(differences) != size:
        raise ValueError("a block has another length than it should")
    differences = differences.copy()
    differences[1:] -= np.uint8(128)
    regrouped = np.cumsum(differences, dtype=np.uint8)
    result = np.empty(size, np.uint8)
    half = (size + 1) // 2
    result[0::2], result[1::2] = regrouped[:half], regrouped[half:]
    return result.tobytes()
