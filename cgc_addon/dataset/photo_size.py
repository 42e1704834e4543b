# SPDX-License-Identifier: GPL-3.0-or-later
"""Width and height of PNG and JPEG files by their first bytes, for Blender has no Pillow."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

from ..files import check_is_file

_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8"
_NO_FRAMES = (0xC4, 0xC8, 0xCC)
"""Markers among those of frames that are tables."""


def photo_size(path: Path) -> tuple[int, int] | None:
    """Return width and height as stored, px; None if the file is of another kind or damaged.

    Raises:
        CgcError: it is a pipe or the like.
        OSError: it cannot be read.
    """
    check_is_file(path)
    with path.open("rb") as file:
        try:
            head = file.read(24)
            if head.startswith(_PNG):
                width, height = struct.unpack(">II", head[16:24])
                return width, height
            if head.startswith(_JPEG):
                file.seek(2)
                return _size_of_jpeg(file)
        except struct.error:  # cut short
            return None
    return None


def _size_of_jpeg(file: BinaryIO) -> tuple[int, int] | None:
    """Go from segment to segment until the one that begins a frame."""
    while True:
        mark, kind = struct.unpack(">BB", file.read(2))
        while kind == 0xFF:  # padding
            (kind,) = struct.unpack(">B", file.read(1))
        if mark != 0xFF:
            return None
        if kind == 0x01 or 0xD0 <= kind <= 0xD8:  # markers without content
            continue
        (length,) = struct.unpack(">H", file.read(2))
        if 0xC0 <= kind <= 0xCF and kind not in _NO_FRAMES:
            _, height, width = struct.unpack(">BHH", file.read(5))
            return width, height
        if length < 2 or kind == 0xD9:
            return None
        file.seek(length - 2, 1)
