# SPDX-License-Identifier: GPL-3.0-or-later
"""Photos of every kind become what they show, or one sentence says what to do."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cgc_addon.dataset import image_files
from cgc_addon.dataset.image_files import (
    has_other_colors,
    may_be_transparent,
    read_header,
    read_opacity,
    read_photo,
)
from cgc_addon.errors import CgcError

from ..icc_profiles import in_srgb, rgb_profile

GREY = np.random.default_rng(0).integers(0, 256, (12, 16), dtype=np.uint8)
MUTED = np.random.default_rng(1).integers(60, 190, (12, 16, 3), dtype=np.uint8)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def write_deep_png(path: Path, values: np.ndarray) -> Path:
    """Write (H, W, 3) as a PNG of 16 bits, which Pillow cannot."""
    height, width = values.shape[:2]
    header = struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    data = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + data)
    return path


@pytest.mark.parametrize("ending", [".png", ".jpg", ".tif", ".webp"])
def test_colours_of_a_wide_space_become_srgb(ending, tmp_path):
    path = tmp_path / f"a{ending}"
    lossy = {"quality": 100, "subsampling": 0} if ending == ".jpg" else {}
    lossless = {"lossless": True} if ending == ".webp" else {}
    image = Image.fromarray(MUTED)
    image.save(path, icc_profile=rgb_profile("Display P3"), **lossy, **lossless)
    assert has_other_colors(path)
    difference = read_photo(path).astype(int) - in_srgb(MUTED, "Display P3").astype(int)
    assert np.abs(difference).max() <= (6 if lossy else 2)


@pytest.mark.parametrize("mode", ["RGBA", "P"])
def test_colours_of_other_modes_are_converted_too(mode, tmp_path):
    flat = np.full((12, 16, 3), (180, 60, 60), np.uint8)
    image = Image.fromarray(flat)
    image = image.quantize(4) if mode == "P" else image.convert(mode)
    image.save(tmp_path / "a.png", icc_profile=rgb_profile("Display P3"))
    expected = in_srgb(flat, "Display P3").astype(int)
    assert np.abs(read_photo(tmp_path / "a.png").astype(int) - expected).max() <= 2


def test_photos_in_srgb_are_read_bit_for_bit(tmp_path):
    Image.fromarray(MUTED).save(tmp_path / "a.png")
    assert not has_other_colors(tmp_path / "a.png")
    np.testing.assert_array_equal(read_photo(tmp_path / "a.png"), MUTED)


@pytest.mark.parametrize(
    "values",
    [
        GREY.astype(np.uint16) * 257,
        GREY.astype(np.uint16) * 16,  # 12 bits of a machine camera
        GREY.astype(np.int32) * 257,
        (GREY / 255).astype(np.float32),
        GREY.astype(np.float32),
    ],
)
def test_grey_of_more_than_8_bits_is_as_bright_as_it_was(values, tmp_path):
    Image.fromarray(values).save(tmp_path / "a.tif")
    np.testing.assert_array_equal(read_photo(tmp_path / "a.tif"), np.repeat(GREY[..., None], 3, 2))


@pytest.mark.parametrize(
    "values",
    [
        GREY.astype(np.int32) * 65537,
        GREY.astype(np.int32) - 5,
        GREY.astype(np.float32) * 257,
        GREY.astype(np.float32) / 100,  # light of a scene
        np.full((12, 16), np.nan, np.float32),
    ],
)
def test_numbers_that_may_mean_anything_are_refused(values, tmp_path):
    Image.fromarray(values).save(tmp_path / "a.tif")
    with pytest.raises(CgcError, match=r"a\.tif has values from .* save it as a photo with 8 or"):
        read_photo(tmp_path / "a.tif")


def test_colour_of_16_bits(tmp_path):
    path = write_deep_png(tmp_path / "a.png", MUTED.astype(np.uint16) * 257)
    np.testing.assert_array_equal(read_photo(path), MUTED)
    write_deep_png(path, MUTED.astype(np.uint16) * 16)
    with pytest.raises(CgcError, match="uses the darkest sixteenth of them only; save it with 8"):
        read_photo(path)


def test_photos_beyond_the_limit_of_pillow_are_read(tmp_path, monkeypatch):
    Image.fromarray(MUTED).save(tmp_path / "a.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    np.testing.assert_array_equal(read_photo(tmp_path / "a.png"), MUTED)


def test_photos_larger_than_any_are_refused_by_their_size(tmp_path, monkeypatch):
    Image.fromarray(MUTED).save(tmp_path / "a.png")
    monkeypatch.setattr(image_files, "LARGEST_PIXELS", 100)
    with pytest.raises(CgcError, match=r"a\.png is 16×12 px, more than .* make it smaller"):
        read_header(tmp_path / "a.png")


def test_heic_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(image_files, "reads_heic", lambda: False)
    (tmp_path / "a.HEIC").write_bytes(b"\0\0\0\x18ftypheic")
    with pytest.raises(CgcError, match=r"a\.HEIC is HEIC, which needs .* convert the photos to"):
        read_photo(tmp_path / "a.HEIC")
    with pytest.raises(CgcError, match=r"b\.heic is missing"):
        read_photo(tmp_path / "b.heic")


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "palette and grey"])
def test_what_is_transparent_becomes_black_as_far_as_it_is(mode, tmp_path):
    alpha = np.array([[0, 51, 255]], np.uint8)
    if mode == "RGBA":
        stored = Image.fromarray(np.dstack([np.full((1, 3, 3), 200, np.uint8), alpha]))
        options = {}
    elif mode == "LA":
        stored = Image.fromarray(np.dstack([np.full((1, 3), 200, np.uint8), alpha]), "LA")
        options = {}
    else:
        stored = Image.fromarray(np.array([[0, 1, 2]], np.uint8), "P" if mode == "P" else "L")
        if mode == "P":
            stored.putpalette([200, 200, 200] * 3)
            options = {"transparency": bytes(alpha[0])}
        else:
            stored = Image.fromarray(np.array([[9, 200, 200]], np.uint8), "L")
            options = {"transparency": 9}
            alpha = np.array([[0, 255, 255]], np.uint8)
    path = tmp_path / "a.png"
    stored.save(path, **options)
    assert may_be_transparent(path)
    np.testing.assert_array_equal(read_opacity(path), alpha)
    expected = np.round(200 * (alpha / 255)).astype(np.uint8)
    np.testing.assert_array_equal(read_photo(path)[..., 0], expected)


def test_opaque_photos_have_no_opacity(tmp_path):
    Image.new("RGB", (4, 3)).save(tmp_path / "a.png")
    assert not may_be_transparent(tmp_path / "a.png")
    assert read_opacity(tmp_path / "a.png") is None
