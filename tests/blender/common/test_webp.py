# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures go through Blender without a byte changed."""

from __future__ import annotations

import pytest

bpy = pytest.importorskip("bpy")

import numpy as np

from cgc_addon.blender.common.webp import blender_codec


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (40, 24), (300, 500)])
@pytest.mark.parametrize("opaque", [True, False])
def test_every_byte_comes_back(size, opaque) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (*size, 4)).astype(np.uint8)
    if opaque:
        pixels[..., 3] = 255
    codec = blender_codec()
    data = codec.encode(pixels)
    assert (data[:4], data[8:16]) == (b"RIFF", b"WEBPVP8L")  # L: lossless
    back = codec.decode(data)
    np.testing.assert_array_equal(back[..., 3], pixels[..., 3])
    seen = pixels[..., 3] > 0
    np.testing.assert_array_equal(back[seen], pixels[seen])
    assert not bpy.data.images


@pytest.mark.parametrize("data", [b"", b"RIFF", b"no picture at all", bytes(5000)])
def test_what_is_no_picture_is_refused(data) -> None:
    with pytest.raises(ValueError, match=r"Blender cannot read it|it is cut short"):
        blender_codec().decode(data)
    assert not bpy.data.images


def test_what_is_cut_short_or_broken_is_refused() -> None:
    pixels = np.random.default_rng(0).integers(1, 256, (40, 24, 4)).astype(np.uint8)
    codec = blender_codec()
    data = codec.encode(pixels)
    for length in (30, len(data) // 2, len(data) - 1):
        with pytest.raises(ValueError, match="it is cut short"):
            codec.decode(data[:length])
    with pytest.raises(ValueError, match="Blender cannot read it"):
        codec.decode(data[:24] + bytes(len(data) - 24))
    assert not bpy.data.images
