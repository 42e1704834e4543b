# SPDX-License-Identifier: GPL-3.0-or-later
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cgc_addon.reconstruction.panorama import is_panorama, pixels_are_panorama

from .conftest import SAMPLE, panorama

XMP = (
    b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta xmlns:x='adobe:ns:meta/'>"
    b"<rdf:Description GPano:ProjectionType='equirectangular'/></x:xmpmeta>"
)


@pytest.mark.parametrize("seed", range(5))
def test_a_picture_of_all_directions_is_one(seed):
    assert pixels_are_panorama(panorama(seed))


@pytest.mark.parametrize("shape", [(256, 512), (240, 320)])
def test_metadata_count_whatever_is_seen(shape):
    plain = io.BytesIO()
    Image.new("RGB", shape[::-1], "white").save(plain, format="JPEG")
    data = plain.getvalue()
    with Image.open(io.BytesIO(data)) as image:
        assert not is_panorama(image)
    segment = b"\xff\xe1" + (len(XMP) + 2).to_bytes(2, "big") + XMP
    with Image.open(io.BytesIO(data[:2] + segment + data[2:])) as image:
        assert is_panorama(image)


@pytest.mark.parametrize("path", sorted(SAMPLE.iterdir())[::4], ids=lambda path: path.name)
def test_photos_of_the_same_shape_are_none(path: Path):
    with Image.open(path) as image:
        width, height = image.size
        for top in (0, height - width // 2):
            part = image.convert("RGB").crop((0, top, width, top + width // 2))
            assert not pixels_are_panorama(np.array(part))


def test_a_thing_before_a_plain_wall_is_none():
    picture = np.full((256, 512, 3), 250, np.uint8)
    picture[80:180, 150:350] = np.random.default_rng(0).integers(0, 255, (100, 200, 3))
    assert not pixels_are_panorama(picture)
