# SPDX-License-Identifier: GPL-3.0-or-later
"""Colours that a file names without an ICC profile are read as what they are."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from cgc_addon.dataset.image_files import has_other_colors, read_photo, read_small
from cgc_addon.dataset.photo_colors import PhotoColors, colors_of
from cgc_addon.reconstruction.photos import prepare_photos
from cgc_addon.reconstruction.sources import Source

from ..icc_profiles import in_srgb, rgb_profile

MUTED = np.random.default_rng(0).integers(60, 190, (80, 96, 3), dtype=np.uint8)
EXIF, INTEROPERABILITY = 0x8769, 0xA005


def adobe_photo(path, color_space, interoperability=None, profile=None):
    exif = Image.Exif()
    exif.get_ifd(EXIF)[0xA001] = color_space
    if interoperability:
        exif.get_ifd(EXIF)[INTEROPERABILITY] = {1: interoperability}
    Image.fromarray(MUTED).save(path, exif=exif, quality=100, subsampling=0, icc_profile=profile)
    return path


@pytest.mark.parametrize(("color_space", "name"), [(0xFFFF, "R03"), (2, None)])
def test_adobe_rgb_that_only_exif_names(tmp_path, color_space, name):
    path = adobe_photo(tmp_path / "a.jpg", color_space, name)
    stored = np.asarray(Image.open(path))
    expected = in_srgb(stored, "Adobe RGB").astype(int)
    assert np.abs(expected - stored).max() > 10
    assert has_other_colors(path)
    assert np.abs(read_photo(path).astype(int) - expected).max() <= 2
    assert np.abs(read_small(path).astype(int) - expected).max() <= 2


@pytest.mark.parametrize(("color_space", "name"), [(1, "R98"), (0xFFFF, None), (0xFFFF, "R98")])
def test_exif_that_does_not_name_adobe_rgb_changes_nothing(tmp_path, color_space, name):
    path = adobe_photo(tmp_path / "a.jpg", color_space, name)
    assert not has_other_colors(path)
    np.testing.assert_array_equal(read_photo(path), np.asarray(Image.open(path)))


def test_a_profile_goes_before_exif(tmp_path):
    path = adobe_photo(tmp_path / "a.jpg", 2, None, rgb_profile("Display P3"))
    with Image.open(path) as image:
        assert not colors_of(image, path).adobe_rgb
    expected = in_srgb(np.asarray(Image.open(path)), "Display P3").astype(int)
    assert np.abs(read_photo(path).astype(int) - expected).max() <= 2


def coded_png(path, pixels, primaries, transfer):
    """Write a PNG with the chunk cICP."""
    Image.fromarray(pixels).save(path)
    data = path.read_bytes()
    body = b"cICP" + bytes([primaries, transfer, 0, 1])
    chunk = struct.pack(">I", 4) + body + struct.pack(">I", zlib.crc32(body))
    path.write_bytes(data[:33] + chunk + data[33:])  # after the signature and IHDR
    return path


def coded_avif(path, pixels, primaries, transfer):
    Image.fromarray(pixels).save(path, quality=100, subsampling="4:4:4")
    data = bytearray(path.read_bytes())
    start = data.find(b"colrnclx") + 8
    data[start : start + 4] = struct.pack(">HH", primaries, transfer)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("write", [coded_png, coded_avif])
@pytest.mark.parametrize(("transfer", "name"), [(16, "PQ"), (18, "HLG")])
def test_a_grey_card_of_an_hdr_still_looks_as_in_an_ordinary_photo(tmp_path, write, transfer, name):
    """18 % grey: 38 % of the signal and 26 cd/m², where white is 203 (ITU-R BT.2408-7 table 1)."""
    grey = np.full((80, 96, 3), round(0.38 * 255), np.uint8)
    path = write(tmp_path / ("a.png" if write is coded_png else "a.avif"), grey, 9, transfer)
    assert has_other_colors(path), name
    assert abs(read_photo(path).mean() - 101) <= 3


@pytest.mark.parametrize("write", [coded_png, coded_avif])
def test_wide_colours_named_by_number(tmp_path, write):
    smooth = np.zeros((80, 96, 3), np.uint8)
    smooth[:] = [180, 90, 60]
    path = write(tmp_path / ("a.png" if write is coded_png else "a.avif"), smooth, 12, 13)
    stored = np.asarray(Image.open(path).convert("RGB"))
    light = np.where(
        stored / 255 <= 0.04045, stored / 255 / 12.92, ((stored / 255 + 0.055) / 1.055) ** 2.4
    )
    expected = in_srgb(np.round(255 * light ** (1 / 2.2)).astype(np.uint8), "Display P3")
    assert np.abs(read_photo(path).astype(int) - expected).max() <= 2


@pytest.mark.parametrize("write", [coded_png, coded_avif])
@pytest.mark.parametrize("coded", [(1, 13), (2, 2), (1, 1)])
def test_ordinary_colours_named_by_number_stay(tmp_path, write, coded):
    path = write(tmp_path / ("a.png" if write is coded_png else "a.avif"), MUTED, *coded)
    assert not has_other_colors(path)
    np.testing.assert_array_equal(read_photo(path), np.asarray(Image.open(path).convert("RGB")))


def test_working_copies_are_srgb(tmp_path):
    path = adobe_photo(tmp_path / "a.jpg", 2)
    found = prepare_photos([Source(path, "a.jpg")], tmp_path / "copies", 4000)
    assert not found.left_out
    copy = np.asarray(Image.open(tmp_path / "copies" / found.photos[0].file)).astype(int)
    expected = in_srgb(np.asarray(Image.open(path)), "Adobe RGB")
    stored = np.asarray(Image.open(path)).astype(int)
    assert np.abs(copy - expected).mean() < 0.5 * np.abs(copy - stored).mean()  # it is JPEG again


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\n\0", b"\0\0\0\x1cftypavif colrnclx\0"])
def test_a_file_that_ends_early_names_nothing(tmp_path, content):
    path = tmp_path / "a.png"
    path.write_bytes(content)
    assert colors_of(Image.new("RGB", (2, 2)), path) == PhotoColors()
