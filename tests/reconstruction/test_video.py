# SPDX-License-Identifier: GPL-3.0-or-later
import struct

import av
import numpy as np
import pytest
from PIL import Image, ImageFilter

from cgc_addon.errors import CgcError, Interrupted
from cgc_addon.reconstruction.video import choose_frames

from .conftest import texture


def walk(count: int, sharp=lambda _index: True) -> list[np.ndarray]:
    """Frames of a camera that moves sideways; those that are not sharp are blurred."""
    wide = texture(3, 400, 96)
    frames = []
    for index in range(count):
        image = Image.fromarray(wide[:, 2 * index : 2 * index + 128])
        if not sharp(index):
            image = image.filter(ImageFilter.GaussianBlur(3))
        frames.append(np.asarray(image))
    return frames


def difference(path, pixels: np.ndarray) -> float:
    """Mean difference of brightness between a chosen frame and what was filmed."""
    with Image.open(path) as image:
        chosen = np.asarray(image.convert("L")).astype(int)
    return float(np.abs(chosen - np.asarray(Image.fromarray(pixels).convert("L"))).mean())


def moments(found) -> list[float]:
    return [float(photo.source.removesuffix(" s")) for photo in found.photos]


def test_the_sharp_frame_of_each_stretch_is_chosen(write_video, tmp_path):
    chosen = {1, 6, 8, 15, 16, 21}  # anywhere within stretches of four
    video = write_video(walk(24, chosen.__contains__))
    found = choose_frames(video, tmp_path / "work", 6, 1600)
    assert moments(found) == pytest.approx([i / 10 for i in sorted(chosen)])
    assert [photo.name for photo in found.photos] == [f"frame_{i:05d}.jpg" for i in range(1, 7)]
    for photo, index in zip(found.photos, sorted(chosen), strict=True):
        assert (photo.width, photo.height) == (128, 96)
        path = tmp_path / "work" / "photos" / photo.file
        assert difference(path, walk(24)[index]) < 8 < difference(path, walk(24)[index - 1])
    assert found.left_out == ()


def test_uneven_times_still_give_frames_spread_evenly_over_time(write_video, tmp_path):
    times = [*range(0, 1000, 50), *range(1000, 5000, 1000)]  # 20 frames in 1 s, then one a second
    found = choose_frames(write_video(walk(24), times=times), tmp_path / "work", 4, 1600)
    assert len(found.photos) >= 3
    assert moments(found)[0] < 1.3
    assert moments(found)[-1] >= 3.0


def test_a_short_video_gives_all_its_frames(write_video, tmp_path):
    found = choose_frames(write_video(walk(5)), tmp_path / "work", 100, 1600)
    assert moments(found) == pytest.approx([0.0, 0.1, 0.2, 0.3, 0.4])


def test_frames_are_shrunk(write_video, tmp_path):
    found = choose_frames(write_video(walk(3)), tmp_path / "work", 3, 64)
    assert {(photo.width, photo.height) for photo in found.photos} == {(64, 48)}


ONE, NEGATIVE = 0x00010000, 0xFFFF0000
MATRICES = {
    0: (ONE, 0, 0, ONE), 1: (0, ONE, NEGATIVE, 0), 2: (NEGATIVE, 0, 0, NEGATIVE),
    3: (0, NEGATIVE, ONE, 0),
}  # fmt: skip
"""Of x' = a x + c y, y' = b x + d y, y down, by quarter turns clockwise."""


@pytest.mark.parametrize("turns", MATRICES)
def test_turned_videos_are_upright(write_video, tmp_path, turns):
    video = write_video(walk(3), name="phone.mp4")
    content = bytearray(video.read_bytes())
    a, b, c, d = MATRICES[turns]
    start = content.index(b"tkhd") + 4 + 40  # of the matrix in the track's header
    assert struct.unpack_from(">9I", content, start) == (ONE, 0, 0, 0, ONE, 0, 0, 0, 1 << 30)
    struct.pack_into(">9I", content, start, a, b, 0, c, d, 0, 0, 0, 1 << 30)
    video.write_bytes(bytes(content))
    found = choose_frames(video, tmp_path / "work", 3, 1600)
    path = tmp_path / "work" / "photos" / found.photos[0].file
    upright = np.ascontiguousarray(np.rot90(walk(3)[0], -turns))
    assert difference(path, upright) < 8


def test_going_on_keeps_frames_and_finds_the_same(write_video, tmp_path):
    video = write_video(walk(24, lambda index: index % 4 == 2))
    whole = choose_frames(video, tmp_path / "whole", 6, 1600)
    count = 0

    def after_some_frames() -> bool:
        nonlocal count
        count += 1
        return count > 24 + 14  # packets are read first

    with pytest.raises(Interrupted):
        choose_frames(video, tmp_path / "work", 6, 1600, should_stop=after_some_frames)
    kept = sorted((tmp_path / "work" / "photos").iterdir())
    assert 0 < len(kept) < 6
    kept[0].write_bytes(b"left as it is")
    assert choose_frames(video, tmp_path / "work", 6, 1600) == whole
    assert kept[0].read_bytes() == b"left as it is"
    names = sorted(path.name for path in (tmp_path / "work" / "photos").iterdir())
    assert names == [photo.file for photo in whole.photos]


def test_a_video_that_ends_early_gives_what_there_is(write_video, tmp_path):
    video = write_video(walk(40))
    content = video.read_bytes()
    video.write_bytes(content[: len(content) * 6 // 10])
    found = choose_frames(video, tmp_path / "work", 10, 1600)
    assert len(found.photos) >= 5
    assert 1.5 < moments(found)[-1] < 3.0


def test_rubbish_in_the_middle_costs_frames_but_not_the_video(write_video, tmp_path):
    video = write_video(walk(40))
    content = bytearray(video.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 3000] = bytes(range(250)) * 12
    video.write_bytes(bytes(content))
    found = choose_frames(video, tmp_path / "work", 10, 1600)
    assert len(found.photos) >= 5


def test_sound_alone_is_no_video(tmp_path):
    path = tmp_path / "sound.mka"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), "s16", "mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with pytest.raises(CgcError, match="no video stream"):
        choose_frames(path, tmp_path / "work", 10, 1600)


@pytest.mark.parametrize("content", [b"", b"no video at all", bytes(5000)])
def test_other_files_are_no_videos(tmp_path, content):
    path = tmp_path / "walk.mp4"
    path.write_bytes(content)
    with pytest.raises(CgcError, match=r"walk\.mp4"):
        choose_frames(path, tmp_path / "work", 10, 1600)
