# SPDX-License-Identifier: GPL-3.0-or-later
"""Label maps as PNG with NumPy and zlib alone: for Blender, whose Python has no imaging library.

What is read is written again in its own form: depth, palette and all else that the file says stay,
only ids change.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import CgcError
from ..files import check_is_file, replacing

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_GREY, _PALETTE = 0, 3
_COLOURS = {2: "colours", 4: "transparency", 6: "colours and transparency"}
_UP = 2
"""The filter that label maps become smallest with: most rows are like the one above."""
_LARGEST_SIDE = 1 << 16


@dataclass(frozen=True, eq=False)
class LabelPng:
    """A label map, and what else its file holds."""

    labels: NDArray[np.unsignedinteger]
    """(H, W) uint8 or uint16 ids, palette indices for files with a palette."""
    depth: int
    """Bits of an id: 1, 2, 4, 8 or 16."""
    before: tuple[tuple[bytes, bytes], ...]
    """Type and content of the chunks before the pixels."""
    after: tuple[tuple[bytes, bytes], ...]
    """Likewise, of those after them."""


def read_label_png(path: Path) -> LabelPng:
    """Read a label map.

    Raises:
        CgcError: the file is missing, damaged, or no label map.
    """
    try:
        check_is_file(path)
        content = path.read_bytes()
    except FileNotFoundError:
        raise CgcError(f"{path} is missing.") from None
    except OSError as error:
        raise CgcError(f"{path} could not be read: {error.strerror or error}.") from error
    if not content.startswith(_SIGNATURE):
        raise CgcError(f"{path} is no PNG file; save the label map as an 8-bit or 16-bit grey PNG.")
    before, pixels, after = _chunks(path, content)
    width, height, depth = _header(path, before)
    rows = _inflate(path, pixels, height, -(-width * depth // 8))
    return LabelPng(_ids(rows, width, depth), depth, before, after)


def write_label_png(path: Path, png: LabelPng, labels: NDArray[np.unsignedinteger]) -> None:
    """Write a label map in the form of another one, whole or not at all.

    Args:
        path: of the file.
        png: the form.
        labels: (H, W) of the same size, ids that fit its depth.

    Raises:
        CgcError: the folder cannot be written.
    """
    assert labels.shape == png.labels.shape
    assert int(labels.max(initial=0)) < 1 << png.depth
    rows = _rows(labels, png.depth)
    filtered = np.empty((len(rows), rows.shape[1] + 1), np.uint8)
    filtered[:, 0] = _UP
    filtered[0, 1:] = rows[0]
    filtered[1:, 1:] = rows[1:] - rows[:-1]  # modulo 256, as the format has it
    chunks = [*png.before, (b"IDAT", zlib.compress(filtered.tobytes(), 6)), *png.after]
    with replacing(path) as temporary, temporary.open("wb") as file:
        file.write(_SIGNATURE)
        for kind, content in chunks:
            check = zlib.crc32(kind + content)
            file.write(struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check))


def _chunks(
    path: Path, content: bytes
) -> tuple[tuple[tuple[bytes, bytes], ...], bytes, tuple[tuple[bytes, bytes], ...]]:
    """Return the chunks before the pixels, the compressed pixels, and the chunks after them."""
    before: list[tuple[bytes, bytes]] = []
    after: list[tuple[bytes, bytes]] = []
    pixels, place, kind = [], len(_SIGNATURE), b""
    while kind != b"IEND":
        head = content[place : place + 8]
        length = struct.unpack(">I", head[:4])[0] if len(head) == 8 else 0
        kind, body = head[4:], content[place + 8 : place + 8 + length]
        end = place + 8 + length
        if len(head) < 8 or len(content) < end + 4:
            raise CgcError(f"{path} ends at byte {len(content)} in the middle; make it again.")
        if struct.unpack(">I", content[end : end + 4])[0] != zlib.crc32(kind + body):
            raise CgcError(f"{path} is damaged at byte {place}; make it again.")
        if kind == b"IDAT":
            pixels.append(body)
        else:
            (after if pixels else before).append((kind, body))
        place = end + 4
    return tuple(before), b"".join(pixels), tuple(after)


def _header(path: Path, before: tuple[tuple[bytes, bytes], ...]) -> tuple[int, int, int]:
    """Return width, height and depth."""
    if not before or before[0][0] != b"IHDR" or len(before[0][1]) != 13:
        raise CgcError(f"{path} has no header; make it again.")
    width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", before[0][1])
    if colour in _COLOURS:
        raise CgcError(
            f"{path} has {_COLOURS[colour]}, but a label map has one id per pixel; save the ids as "
            "an 8-bit or 16-bit grey PNG, or as one with a palette."
        )
    depths = {_GREY: (1, 2, 4, 8, 16), _PALETTE: (1, 2, 4, 8)}.get(colour, ())
    if depth not in depths or not (0 < width < _LARGEST_SIDE and 0 < height < _LARGEST_SIDE):
        raise CgcError(f"{path} has a header that makes no sense; make it again.")
    if interlaced:
        raise CgcError(f"{path} is interlaced; save it without interlacing.")
    return width, height, depth


def _inflate(path: Path, pixels: bytes, height: int, width: int) -> NDArray[np.uint8]:
    """Return the bytes (H, W) of the rows, filters undone."""
    wanted = height * (width + 1)
    try:
        raw = zlib.decompressobj().decompress(pixels, wanted)
    except zlib.error as error:
        raise CgcError(f"{path} is damaged ({error}); make it again.") from error
    if len(raw) < wanted:
        raise CgcError(f"{path} holds {len(raw)} of {wanted} bytes of pixels; make it again.")
    table = np.frombuffer(raw, np.uint8).reshape(height, width + 1)
    if int(table[:, 0].max()) > 4:
        raise CgcError(f"{path} has rows that no filter made; make it again.")
    return table


def _ids(table: NDArray[np.uint8], width: int, depth: int) -> NDArray[np.unsignedinteger]:
    """Return (H, W) ids of filtered rows, the number of the filter first in each."""
    rows = _unfiltered(table[:, 0], table[:, 1:], 2 if depth == 16 else 1)
    if depth == 16:
        return rows.view(">u2").astype(np.uint16)
    if depth == 8:
        return rows
    bits = np.unpackbits(rows, axis=1)[:, : width * depth].reshape(len(rows), width, depth)
    return (bits << np.arange(depth - 1, -1, -1, dtype=np.uint8)).sum(axis=2, dtype=np.uint8)


def _rows(labels: NDArray[np.unsignedinteger], depth: int) -> NDArray[np.uint8]:
    """Return the bytes (H, W) of the rows."""
    if depth == 16:
        return np.ascontiguousarray(labels.astype(">u2")).view(np.uint8)
    if depth == 8:
        return labels.astype(np.uint8)
    shifts = np.arange(depth - 1, -1, -1, dtype=np.uint8)
    bits = (labels.astype(np.uint8)[:, :, None] >> shifts) & 1
    return np.packbits(bits.reshape(len(labels), -1), axis=1)


def _unfiltered(kinds: NDArray[np.uint8], rows: NDArray[np.uint8], step: int) -> NDArray[np.uint8]:
    """Undo the filters of rows.

    Args:
        kinds: (H,) 0 none, 1 left, 2 up, 3 average, 4 Paeth.
        rows: (H, W) bytes.
        step: bytes from a pixel to the next one.
    """
    if int(kinds.max(initial=0)) > _UP:
        return _unfiltered_by_diagonals(kinds, rows, step)
    result = np.empty_like(rows)
    above = np.zeros(rows.shape[1], np.uint8)
    for number, kind in enumerate(kinds):
        row = rows[number]
        if kind == 1:
            row = row.reshape(-1, step).cumsum(axis=0, dtype=np.uint8).reshape(-1)
        elif kind == _UP:
            row = row + above
        result[number] = above = row
    return result


def _unfiltered_by_diagonals(
    kinds: NDArray[np.uint8], rows: NDArray[np.uint8], step: int
) -> NDArray[np.uint8]:
    """Undo filters that need the pixels to the left and above: one diagonal of pixels at a time.

    On a diagonal, from lower left to upper right, no pixel needs another one. So that each lies in
    one piece of memory, row y is moved y pixels to the right; beside the picture there are zeros.
    """
    height, width = len(rows), rows.shape[1] // step
    given = rows.reshape(height, width, step)
    moved = np.zeros((height + width + 1, height + 1, step), np.uint8)
    for y in range(height):
        moved[y + 2 : y + 2 + width, y + 1] = given[y]
    kind = kinds[:, None]
    for diagonal in range(height + width - 1):
        first, last = max(0, diagonal - width + 1), min(height, diagonal + 1)
        here = moved[diagonal + 2, first + 1 : last + 1]
        left = moved[diagonal + 1, first + 1 : last + 1].astype(np.int16)
        up = moved[diagonal + 1, first:last].astype(np.int16)
        corner = moved[diagonal, first:last].astype(np.int16)
        from_left, from_up = up - corner, left - corner
        off_corner = np.abs(from_left + from_up)
        off_left, off_up = np.abs(from_left), np.abs(from_up)
        paeth = np.where(off_up <= off_corner, up, corner)
        np.copyto(paeth, left, where=(off_left <= off_up) & (off_left <= off_corner))
        foretold = np.choose(kind[first:last], (np.int16(0), left, up, (left + up) >> 1, paeth))
        here += foretold.astype(np.uint8)  # modulo 256, as the format has it
    result = np.empty_like(given)
    for y in range(height):
        result[y] = moved[y + 2 : y + 2 + width, y + 1]
    return result.reshape(rows.shape)
