# SPDX-License-Identifier: GPL-3.0-or-later
"""Zstandard, by what this Python has of it: its own from 3.14 on, else the package `zstandard`.

Blender brings the package along.
"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

CHUNK = 1 << 20
"""Bytes unpacked at once: what a file promises takes no room before it is there."""
LEVEL = 12
"""Of compression; higher ones take far longer and save little."""


class NoZstandardError(Exception):
    """This Python has no Zstandard."""


def compress(data: bytes) -> bytes:
    """Return one frame that says how long its content is.

    Raises:
        NoZstandardError: there is nothing to do it with.
    """
    own = _module("compression.zstd")
    if own is not None:
        return own.compress(data, level=LEVEL)
    return _package().ZstdCompressor(level=LEVEL, write_content_size=True).compress(data)


def decompress(data: bytes, size: int) -> bytes:
    """Return the content of one frame, or as much of it as `size` and one byte more.

    Args:
        data: the frame.
        size: bytes that are expected; no room is made for more.

    Raises:
        NoZstandardError: there is nothing to do it with.
        ValueError: the frame is damaged.
    """
    own = _module("compression.zstd")
    if own is not None:
        try:
            return own.ZstdDecompressor().decompress(data, size + 1)
        except own.ZstdError as error:
            raise ValueError(str(error)) from error
    package = _package()
    content = bytearray()
    try:
        with package.ZstdDecompressor().stream_reader(data) as reader:
            while len(content) <= size:
                part = reader.read(min(CHUNK, size + 1 - len(content)))
                if not part:
                    break
                content += part
    except package.ZstdError as error:
        raise ValueError(str(error)) from error
    return bytes(content)


def _package() -> ModuleType:
    package = _module("zstandard")
    if package is None:
        raise NoZstandardError
    return package


def _module(name: str) -> ModuleType | None:
    try:
        return import_module(name)
    except ImportError:
        return None
