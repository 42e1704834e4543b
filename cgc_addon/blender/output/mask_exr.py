# SPDX-License-Identifier: GPL-3.0-or-later
"""Segment ids as OpenEXR, one floating-point channel.

Blender's own writer turns one channel into three and marks them as linear colours, which programs
then manage as such; an id must stay the number it is.
"""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...files import replacing

CHANNEL = "Y"
"""The name that programs, Blender too, look for in a picture of one channel."""
LINES = 16
"""Lines of a block in the compression ZIP."""
_FLOAT, _ZIP = 2, 3


def write_exr(path: Path, ids: NDArray[np.integer]) -> None:
    """Write ids (H, W), 0 to 2²⁴, as 32-bit floating point with lossless compression.

    Raises:
        CgcError: the file cannot be written.
    """
    values = np.ascontiguousarray(ids, dtype="<f4")
    height, width = values.shape
    head = b"\x76\x2f\x31\x01" + struct.pack("<I", 2) + _attributes(width, height)
    blocks = [_block(values[top : top + LINES], top) for top in range(0, height, LINES)]
    lengths = np.array([len(block) for block in blocks], dtype="<u8")
    first = len(head) + 8 * len(blocks)
    offsets = (first + np.cumsum(lengths) - lengths).astype("<u8")
    with replacing(path) as temporary:
        temporary.write_bytes(b"".join([head, offsets.tobytes(), *blocks]))


def _attributes(width: int, height: int) -> bytes:
    window = struct.pack("<4i", 0, 0, width - 1, height - 1)
    channel = CHANNEL.encode() + b"\0" + struct.pack("<iB3xii", _FLOAT, 0, 1, 1)
    attributes = (
        ("channels", "chlist", channel + b"\0"),
        ("compression", "compression", bytes([_ZIP])),
        ("dataWindow", "box2i", window),
        ("displayWindow", "box2i", window),
        ("lineOrder", "lineOrder", b"\0"),
        ("pixelAspectRatio", "float", struct.pack("<f", 1.0)),
        ("screenWindowCenter", "v2f", struct.pack("<2f", 0.0, 0.0)),
        ("screenWindowWidth", "float", struct.pack("<f", 1.0)),
    )
    parts = [
        name.encode() + b"\0" + kind.encode() + b"\0" + struct.pack("<i", len(value)) + value
        for name, kind, value in attributes
    ]
    return b"".join(parts) + b"\0"


def _block(lines: NDArray[np.float32], top: int) -> bytes:
    """Return up to `LINES` lines as the format stores them: bytes regrouped, differences, zlib."""
    raw = lines.tobytes()
    stream = np.frombuffer(raw, np.uint8)
    regrouped = np.concatenate([stream[0::2], stream[1::2]])
    differences = regrouped.copy()
    differences[1:] = regrouped[1:] - regrouped[:-1] + np.uint8(128)
    packed = zlib.compress(differences.tobytes())
    if len(packed) >= len(raw):  # readers take a block of full length as not compressed
        packed = raw
    return struct.pack("<ii", top, len(packed)) + packed
