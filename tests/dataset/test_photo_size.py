# SPDX-License-Identifier: GPL-3.0-or-later
"""Sizes are told from the first bytes as Pillow tells them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from cgc_addon.dataset.photo_size import photo_size


@pytest.mark.parametrize(("width", "height"), [(1, 1), (64, 52), (300, 7)])
@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"quality": 20}])
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_jpeg(tmp_path, width, height, options, mode) -> None:
    path = tmp_path / "photo.jpg"
    exif = Image.Exif()
    exif[0x010E] = "a description " * 100
    Image.new(mode, (width, height)).save(path, exif=exif, comment=b"made by a test", **options)
    assert photo_size(path) == (width, height)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "P", "I;16"])
def test_png(tmp_path, mode) -> None:
    Image.new(mode, (64, 52)).save(tmp_path / "photo.png")
    assert photo_size(tmp_path / "photo.png") == (64, 52)


def test_other_kinds_are_not_told(tmp_path) -> None:
    for name in ("photo.tif", "photo.bmp", "photo.webp"):
        Image.new("RGB", (6, 5)).save(tmp_path / name)
        assert photo_size(tmp_path / name) is None
    (tmp_path / "empty.png").write_bytes(b"")
    assert photo_size(tmp_path / "empty.png") is None


def test_damaged_files_end_the_search(tmp_path) -> None:
    path = tmp_path / "photo.jpg"
    Image.fromarray(np.arange(192, dtype=np.uint8).reshape(8, 8, 3)).save(path)
    content = path.read_bytes()
    for length in range(len(content)):
        path.write_bytes(content[:length])
        assert photo_size(path) in (None, (8, 8))

    @settings(max_examples=200, deadline=None, database=None)
    @given(changes=st.lists(st.tuples(st.integers(2, 200), st.integers(0, 255)), max_size=4))
    def damage(changes) -> None:
        damaged = bytearray(content)
        for place, value in changes:
            damaged[place] = value
        path.write_bytes(damaged)
        size = photo_size(path)
        assert size is None or len(size) == 2

    damage()
