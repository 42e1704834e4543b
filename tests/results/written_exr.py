# SPDX-License-Identifier: GPL-3.0-or-later
"""OpenEXR written byte by byte, as its file layout document describes it."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

import numpy as np

KINDS = {np.dtype(np.uint32): 0, np.dtype(np.float16): 1, np.dtype(np.float32): 2}


def write_exr(
    path: Path,
    channels: Mapping[str, np.ndarray],
    compression: int = 3,
    *,
    corner: tuple[int, int] = (0, 0),
    backwards: bool = False,
) -> None:
    """Write channels (H, W); `backwards` stores the lowest block first."""
    channels = {name: channels[name] for name in sorted(channels)}
    height, width = next(iter(channels.values())).shape
    left, top = corner
    window = struct.pack("<4i", left, top, left + width - 1, top + height - 1)
    listed = b"".join(
        name.encode() + b"\0" + struct.pack("<iiii", KINDS[values.dtype], 0, 1, 1)
        for name, values in channels.items()
    )
    header = b"\x76\x2f\x31\x01" + struct.pack("<I", 2 | 0x400)
    for name, kind, value in (
        ("channels", "chlist", listed + b"\0"),
        ("compression", "compression", bytes([compression])),
        ("dataWindow", "box2i", window),
        ("displayWindow", "box2i", window),
        ("lineOrder", "lineOrder", bytes([backwards])),
    ):
        header += name.encode() + b"\0" + kind.encode() + b"\0"
        header += struct.pack("<i", len(value)) + value
    header += b"\0"
    lines = {3: 16}.get(compression, 1)
    tops = list(range(0, height, lines))
    blocks = []
    for first in tops:
        raw = b"".join(
            values[line].tobytes()
            for line in range(first, min(first + lines, height))
            for values in channels.values()
        )
        packed = raw if compression == 0 else zlib.compress(_predicted(raw))
        packed = min(raw, packed, key=len)
        blocks.append(struct.pack("<ii", top + first, len(packed)) + packed)
    places, body = {}, b""
    start = len(header) + 8 * len(blocks)
    for index in reversed(range(len(blocks))) if backwards else range(len(blocks)):
        places[index] = start + len(body)
        body += blocks[index]
    table = b"".join(struct.pack("<Q", places[index]) for index in range(len(blocks)))
    path.write_bytes(header + table + body)


def _predicted(raw: bytes) -> bytes:
    regrouped = raw[0::2] + raw[1::2]
    result = bytearray(regrouped[:1])
    for before, value in pairwise(regrouped):
        result.append((value - before + 128) % 256)
    return bytes(result)
