# SPDX-License-Identifier: GPL-3.0-or-later
"""ICC profiles of RGB spaces with a gamma, and what their colours are in sRGB."""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

PRIMARIES = {
    "sRGB": ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06)),
    "Display P3": ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
    "Adobe RGB": ((0.64, 0.33), (0.21, 0.71), (0.15, 0.06)),
}
"""x and y of red, green and blue; white is D65."""
_D65, _D50 = (0.3127, 0.3290), (0.9642, 1.0, 0.8249)
_BRADFORD = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)


def rgb_profile(space: str, gamma: float = 2.2) -> bytes:
    """Return a profile of version 2: a matrix to XYZ under D50, and one gamma for all channels."""
    white = _xyz(_D65)
    cones = (_BRADFORD @ _D50) / (_BRADFORD @ white)
    adapted = np.linalg.inv(_BRADFORD) @ np.diag(cones) @ _BRADFORD @ _to_xyz(space)
    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256))
    name = space.encode() + b"\0"
    tags = {
        b"desc": b"desc\0\0\0\0" + struct.pack(">I", len(name)) + name + b"\0" * 78,
        b"cprt": b"text\0\0\0\0none\0",
        b"wtpt": _numbers(_D50),
        **{letter + b"XYZ": _numbers(adapted[:, i]) for i, letter in enumerate((b"r", b"g", b"b"))},
        **{letter + b"TRC": curve for letter in (b"r", b"g", b"b")},
    }
    offset, table, body = 128 + 4 + 12 * len(tags), struct.pack(">I", len(tags)), b""
    for tag, data in tags.items():
        table += tag + struct.pack(">II", offset + len(body), len(data))
        body += data + b"\0" * (-len(data) % 4)
    head = bytearray(128)
    head[0:4] = struct.pack(">I", offset + len(body))
    head[8:24] = b"\x02\x40\0\0mntrRGB XYZ "
    head[36:40] = b"acsp"
    head[68:80] = _numbers(_D50)[8:]
    return bytes(head) + table + body


def in_srgb(pixels: NDArray[np.uint8], space: str, gamma: float = 2.2) -> NDArray[np.uint8]:
    """Return the colours (…, 3) of a space as sRGB, those outside cut off."""
    linear = (pixels / 255.0) ** gamma @ (np.linalg.inv(_to_xyz("sRGB")) @ _to_xyz(space)).T
    linear = np.clip(linear, 0.0, 1.0)
    curved = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.round(255.0 * curved).astype(np.uint8)


def _to_xyz(space: str) -> NDArray[np.float64]:
    primaries = np.array([_xyz(point) for point in PRIMARIES[space]]).T
    return primaries * np.linalg.solve(primaries, _xyz(_D65))


def _xyz(point: tuple[float, float]) -> NDArray[np.float64]:
    x, y = point
    return np.array([x / y, 1.0, (1.0 - x - y) / y])


def _numbers(values: NDArray[np.float64] | tuple[float, ...]) -> bytes:
    fixed = (round(float(value) * 65536) for value in values)
    return b"XYZ \0\0\0\0" + b"".join(struct.pack(">i", value) for value in fixed)
