# SPDX-License-Identifier: GPL-3.0-or-later
"""The numbers are those that the ITU publishes, not those of a second implementation."""

import av
import numpy as np
import pytest
from av.video.frame import VideoFrame

from cgc_addon.reconstruction.video_colors import is_high_dynamic_range, srgb_pixels

PQ, HLG, BT709 = 16, 18, 1


def frame(signal, transfer, primaries=9) -> VideoFrame:
    pixels = np.round(np.asarray(signal, float) * 65535).astype(np.uint16)
    pixels = np.broadcast_to(pixels, (4, 6, 3)).copy()
    made = VideoFrame.from_ndarray(pixels, format="rgb48le")
    made.color_trc, made.color_primaries = transfer, primaries
    return made


def shown(signal, transfer, primaries=9):
    pixels = srgb_pixels(frame(signal, transfer, primaries), 6, 4)
    assert pixels.shape == (4, 6, 3)
    return pixels[1, 2].tolist()


@pytest.mark.parametrize(("transfer", "is_so"), [(PQ, True), (HLG, True), (BT709, False)])
def test_hdr_is_told_by_its_transfer(transfer, is_so):
    assert is_high_dynamic_range(frame([0.5, 0.5, 0.5], transfer)) == is_so


@pytest.mark.parametrize(
    ("signal", "transfer"),
    [
        (0.38, HLG),  # 18 % grey card, BT.2408-7 table 1
        (0.38, PQ),
    ],
)
def test_a_grey_card_looks_as_in_ordinary_video(signal, transfer):
    # 26 cd/m² where white is 203: 13 % of the light.
    red, green, blue = shown([signal] * 3, transfer)
    assert red == green == blue
    assert abs(red - 101) <= 3


@pytest.mark.parametrize(("signal", "transfer"), [(0.75, HLG), (0.5807, PQ)])
def test_paper_is_nearly_white_and_light_beyond_it_is_brighter_still(signal, transfer):
    paper = shown([signal] * 3, transfer)[0]
    assert 243 <= paper < 255
    assert paper < shown([1.0] * 3, transfer)[0]


def test_half_the_light_of_paper_is_half():
    half = shown([0.5095] * 3, PQ)[0]  # 101.5 cd/m², SMPTE ST 2084
    assert abs(half - 188) <= 1  # sRGB of one half


@pytest.mark.parametrize("color", [0, 1, 2])
def test_primaries_of_ordinary_video_stay_pure(color):
    # Light of BT.709's primaries in those of BT.2020 (BT.2087-0), at a quarter of white.
    light = np.array(
        [[0.6274, 0.0691, 0.0164], [0.3293, 0.9195, 0.0880], [0.0433, 0.0114, 0.8956]]
    )[color]
    power = (0.25 * 203 * light / 10_000) ** 0.1593017578125
    signal = ((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375
    pixel = shown(signal, PQ)
    assert abs(pixel[color] - 137) <= 1  # sRGB of a quarter
    assert max(value for place, value in enumerate(pixel) if place != color) <= 6


def test_colours_that_srgb_lacks_are_cut_and_not_turned():
    pixel = shown([0.5, 0.0, 0.0], PQ)
    assert pixel[0] > 100
    assert pixel[1:] == [0, 0]


def test_a_video_file_is_converted(tmp_path):
    """HLG as phones write it; the picture is that of the ordinary video beside it."""
    path = tmp_path / "phone.mov"
    grey = np.full((64, 96, 3), round(0.38 * 65535), np.uint16)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx265", rate=12, options={"x265-params": "log-level=none"})
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p10le"
        stream.color_trc, stream.color_primaries, stream.colorspace = HLG, 9, 9
        for number in range(3):
            picture = VideoFrame.from_ndarray(grey, format="rgb48le").reformat(
                format="yuv420p10le", dst_colorspace=9
            )
            picture.pts = number
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    with av.open(str(path)) as container:
        decoded = next(container.decode(video=0))
        assert is_high_dynamic_range(decoded)
        assert abs(srgb_pixels(decoded, 48, 32).mean() - 101) <= 4
