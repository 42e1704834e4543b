# SPDX-License-Identifier: GPL-3.0-or-later
"""Label maps are read as an imaging library reads them, and written again in their own form."""

import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from cgc_addon.errors import CgcError
from cgc_addon.masks.label_png import read_label_png, write_label_png

SHAPES = st.tuples(st.integers(1, 12), st.integers(1, 12))


def filtered(rows: np.ndarray, kinds, step: int) -> bytes:
    """Filter rows of bytes the slow way, as the PNG specification says."""
    out = bytearray()
    for y, row in enumerate(rows.astype(int)):
        out.append(kinds[y])
        for x, value in enumerate(row):
            a = row[x - step] if x >= step else 0
            b = int(rows[y - 1, x]) if y else 0
            c = int(rows[y - 1, x - step]) if y and x >= step else 0
            p = a + b - c
            nearest = min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]
            out.append((value - [0, a, b, (a + b) // 2, nearest][kinds[y]]) % 256)
    return bytes(out)


def png(width, height, depth, colour, pixels: bytes, extra=(), interlaced=0) -> bytes:
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced)),
              *extra, (b"IDAT", zlib.compress(pixels)), (b"IEND", b"")]  # fmt: skip
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )


@given(st.data())
def test_every_filter_is_undone(tmp_path_factory, data):
    step = data.draw(st.sampled_from([1, 2]))
    dtype = np.uint8 if step == 1 else np.uint16
    labels = data.draw(arrays.arrays(dtype, SHAPES))
    kinds = [data.draw(st.integers(0, 4)) for _ in labels]
    rows = labels if step == 1 else np.ascontiguousarray(labels.astype(">u2")).view(np.uint8)
    content = png(labels.shape[1], labels.shape[0], 8 * step, 0, filtered(rows, kinds, step))
    path = tmp_path_factory.getbasetemp() / "filters.png"
    path.write_bytes(content)
    read = read_label_png(path)
    assert np.array_equal(read.labels, labels)
    assert read.labels.dtype == dtype
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(content))).astype(dtype), labels)


@pytest.mark.parametrize("mode", ["L", "I;16", "P", "1"])
def test_what_an_imaging_library_writes(tmp_path, mode):
    random = np.random.default_rng(3)
    highest = {"L": 256, "I;16": 65536, "P": 200, "1": 2}[mode]
    ids = random.integers(0, highest, (37, 53)).astype(np.uint16)
    ids[5:20, 7:30] = 1
    if mode == "I;16":
        image = Image.fromarray(ids)
    elif mode == "1":
        image = Image.fromarray(ids.astype(bool))
    else:
        image = Image.fromarray(ids.astype(np.uint8))
        if mode == "P":
            image.putpalette([value for one in range(256) for value in (one, 255 - one, 9)])
    path = tmp_path / "map.png"
    image.save(path)
    read = read_label_png(path)
    assert np.array_equal(read.labels, ids)
    changed = read.labels.copy()
    changed[:10] = 0
    write_label_png(path, read, changed)
    with Image.open(path) as again:
        assert again.mode == mode
        assert np.array_equal(np.asarray(again).astype(np.uint16), changed)
        if mode == "P":
            assert again.getpalette() == image.getpalette()


@pytest.mark.parametrize("depth", [1, 2, 4])
@pytest.mark.parametrize("colour", [0, 3])
@pytest.mark.parametrize("width", [1, 7, 8, 13])
def test_ids_smaller_than_a_byte(tmp_path, depth, colour, width):
    random = np.random.default_rng(depth)
    ids = random.integers(0, 1 << depth, (6, width)).astype(np.uint8)
    bits = (ids[:, :, None] >> np.arange(depth - 1, -1, -1)) & 1
    rows = np.packbits(bits.reshape(6, -1).astype(np.uint8), axis=1)
    palette = ((b"PLTE", bytes(range(48))),) if colour == 3 else ()
    path = tmp_path / "map.png"
    path.write_bytes(png(width, 6, depth, colour, filtered(rows, [0, 1, 2, 3, 4, 0], 1), palette))
    read = read_label_png(path)
    assert np.array_equal(read.labels, ids)
    write_label_png(path, read, ids)
    again = read_label_png(path)
    assert np.array_equal(again.labels, ids)
    assert again.before == read.before
    Image.open(path).load()


def test_text_and_resolution_stay(tmp_path):
    extra = ((b"pHYs", struct.pack(">IIB", 3000, 3000, 1)), (b"tEXt", b"Author\0me"))
    path = tmp_path / "map.png"
    path.write_bytes(png(2, 1, 8, 0, b"\0\1\2", extra))
    read = read_label_png(path)
    write_label_png(path, read, read.labels)
    assert [kind for kind, _ in read_label_png(path).before] == [b"IHDR", b"pHYs", b"tEXt"]


GOOD = png(2, 2, 8, 0, b"\0\1\2\0\3\4")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "no PNG"),
        (b"GIF89a", "no PNG"),
        (GOOD[:20], "in the middle"),
        (GOOD[:-6], "in the middle"),
        (GOOD[:45] + bytes([GOOD[45] ^ 1]) + GOOD[46:], "damaged at byte"),
        (png(2, 2, 8, 2, b"\0" * 14), "has colours"),
        (png(2, 2, 8, 6, b"\0" * 18), "transparency"),
        (png(2, 2, 8, 0, b"\0\1\2\0\3"), "5 of 6 bytes"),
        (png(2, 2, 8, 0, b"\7\1\2\0\3\4"), "no filter"),
        (png(2, 2, 8, 0, b"\0\1\2\0\3\4", interlaced=1), "interlaced"),
        (png(0, 2, 8, 0, b""), "makes no sense"),
        (png(2, 2, 3, 0, b""), "makes no sense"),
        (png(2, 2, 16, 3, b""), "makes no sense"),
    ],
)
def test_what_is_no_label_map_is_said(tmp_path, content, sentence):
    path = tmp_path / "map.png"
    path.write_bytes(content)
    with pytest.raises(CgcError, match=sentence) as raised:
        read_label_png(path)
    assert str(path) in str(raised.value)


def test_a_missing_one_is_said(tmp_path):
    with pytest.raises(CgcError, match="is missing"):
        read_label_png(tmp_path / "map.png")


def test_pixels_that_were_never_compressed_are_said(tmp_path):
    content = GOOD.replace(zlib.compress(b"\0\1\2\0\3\4"), b"nonsense")
    start = content.index(b"nonsense") - 4
    body = b"IDATnonsense"
    content = content[: start - 4] + struct.pack(">I", 8) + body + struct.pack(
        ">I", zlib.crc32(body)) + content[-12:]  # fmt: skip
    (tmp_path / "map.png").write_bytes(content)
    with pytest.raises(CgcError, match="is damaged"):
        read_label_png(tmp_path / "map.png")
