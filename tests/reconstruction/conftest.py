# SPDX-License-Identifier: GPL-3.0-or-later
"""Photos with EXIF, and videos, made as they are needed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

SAMPLE = Path(__file__).parents[2] / "cgc_addon" / "sample" / "images"
ORIENTATION, MAKE, MODEL, DETAILS = 0x0112, 0x010F, 0x0110, 0x8769
FOCAL_LENGTH, FOCAL_LENGTH_35MM = 0x920A, 0xA405


def texture(seed: int, width: int, height: int) -> np.ndarray:
    """A picture (height, width, 3) with details of all sizes."""
    random = np.random.default_rng(seed)
    picture = np.zeros((height, width, 3))
    for size in (6, 24, 96):
        small = random.integers(0, 255, (size, size, 3), dtype=np.uint8)
        picture += np.asarray(
            Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC)
        )
    return (picture / 3).astype(np.uint8)


def panorama(seed: int) -> np.ndarray:
    """All that is seen from a place in a painted sphere, (256, 512, 3) equirectangular."""
    random = np.random.default_rng(seed)
    longitudes, latitudes = np.meshgrid(
        (np.arange(512) + 0.5) / 512 * 2 * np.pi, np.pi / 2 - (np.arange(256) + 0.5) / 256 * np.pi
    )
    directions = np.stack(
        [
            np.cos(latitudes) * np.cos(longitudes),
            np.cos(latitudes) * np.sin(longitudes),
            np.sin(latitudes),
        ],
        axis=-1,
    )
    waves = random.normal(0.0, 6.0, (40, 3))
    values = np.sin(directions @ waves.T + random.uniform(0, 6, 40)) @ random.normal(size=(40, 3))
    return np.clip(128 + 18 * values, 0, 255).astype(np.uint8)


def exif(
    orientation: int | None = None,
    camera: tuple[str, str] | None = None,
    details: dict[int, object] | None = None,
) -> Image.Exif:
    result = Image.Exif()
    if orientation is not None:
        result[ORIENTATION] = orientation
    if camera is not None:
        result[MAKE], result[MODEL] = camera
    for tag, value in (details or {}).items():
        result.get_ifd(DETAILS)[tag] = value
    return result


@pytest.fixture
def write_photo(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes `photos/NAME` and returns its path."""

    def write(
        name: str,
        *,
        size: tuple[int, int] = (160, 120),
        seed: int = 0,
        tags: Image.Exif | None = None,
        mode: str = "RGB",
        **options: object,
    ) -> Path:
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        image = Image.fromarray(texture(seed, *size)).convert(mode)
        if tags is not None:
            options["exif"] = tags
        image.save(path, **options)
        return path

    return write


@pytest.fixture
def write_video(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a video of given frames (H, W, 3) and times (1/1000 s)."""

    def write(
        frames: Sequence[np.ndarray],
        *,
        times: Sequence[int] | None = None,
        name: str = "walk.mkv",
    ) -> Path:
        path = tmp_path / name
        height, width = frames[0].shape[:2]
        times = range(0, 100 * len(frames), 100) if times is None else times
        with av.open(str(path), "w") as container:
            stream = container.add_stream("mpeg4", rate=1000)
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            stream.bit_rate = 8_000_000
            stream.codec_context.gop_size = 5
            for pixels, time in zip(frames, times, strict=True):
                frame = av.VideoFrame.from_ndarray(pixels, "rgb24")
                frame.pts = time
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        return path

    return write
