# SPDX-License-Identifier: GPL-3.0-or-later
"""The frames of a video that are solved: spread evenly over time, the sharpest of each stretch."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..dataset.image_files import write_photo
from ..dataset.resize import fitted_size
from ..errors import CgcError, Interrupted
from ..progress import Progress, Reporter, ShouldStop, never, silent
from .panorama import WHAT_TO_DO, pixels_are_panorama
from .photo_list import PhotoList, WorkingPhoto
from .sharpness import sharpness
from .video_colors import is_high_dynamic_range, srgb_pixels

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

STAGE = "Choosing frames"
SCAN_STAGE = "Reading the video"
_COMPARED_SIZE = 480
"""Longest side at which frames are compared, px: noise is gone there, blur is not."""
_RECORD = "frames.json"


@dataclass(frozen=True)
class _Span:
    start: float
    end: float
    """Times of the first and after the last frame, s."""

    def stretch(self, time: float, count: int) -> int:
        """Return which of `count` equal parts a time lies in."""
        share = (time - self.start) / max(self.end - self.start, 1e-9)
        return min(count - 1, max(0, math.floor(share * count)))


@dataclass
class _Best:
    stretch: int
    time: float
    score: float
    pixels: np.ndarray


def choose_frames(
    video: Path,
    work: Path,
    frames: int,
    max_size: int,
    *,
    report: Reporter = silent,
    should_stop: ShouldStop = never,
) -> PhotoList:
    """Write the sharpest frame of each of `frames` equal stretches of time.

    Frames that were written by an earlier call are kept, and decoding goes on after them.

    Args:
        video: any file with a video stream that FFmpeg reads.
        work: folder; frames come into `photos/`, what is known of them into `frames.json`.
        frames: most frames to choose; a video with fewer gives all it has.
        max_size: longest side of the frames, px.
        report: progress.
        should_stop: asked at every frame.

    Returns:
        The frames; what was damaged is told in `left_out`.

    Raises:
        CgcError: the file is no video, or not one frame of it can be decoded.
        Interrupted: `should_stop` said so; frames written until then stay.
    """
    with _opened(video) as (container, stream):
        span = _scan(video, container, stream, report, should_stop)
    photos, first = _recorded(work)
    damage: str | None = None
    done = len(photos)
    try:
        for best in _best_frames(video, span, frames, first, max_size, report, should_stop):
            if not photos and pixels_are_panorama(best.pixels):
                raise CgcError(f"{video} cannot be solved: {WHAT_TO_DO}.")
            name = f"frame_{best.stretch + 1:05d}.jpg"
            write_photo(work / "photos" / name, best.pixels)
            height, width = best.pixels.shape[:2]
            photos.append(
                WorkingPhoto(name, name, f"{best.time:.3f} s", width, height, "the video")
            )
            PhotoList(tuple(photos)).write(work / _RECORD)
    except _Damaged as error:
        damage = str(error)
    if not photos:
        raise CgcError(
            f"{video} holds no frame that can be decoded{f' ({damage})' if damage else ''}; "
            "convert it to MP4 with another program, or give photos."
        )
    report(Progress(STAGE, frames, frames))
    left_out = []
    if damage is not None:
        last = photos[-1].source if len(photos) > done else "its beginning"
        left_out.append(
            (video.name, f"it is damaged after {last}, the rest is left out ({damage})")
        )
    return PhotoList(tuple(photos), tuple(left_out))


class _Damaged(Exception):  # noqa: N818 - caught here: what came before can be used
    pass


@contextmanager
def _opened(video: Path) -> Iterator[tuple[InputContainer, VideoStream]]:
    import av
    from av.error import FFmpegError

    try:
        container = av.open(str(video))
    except OSError as error:
        raise CgcError(
            f"{video} could not be opened as a video: {error.strerror or error}; "
            "name a video file or a folder of photos."
        ) from error
    except (FFmpegError, ValueError) as error:
        raise CgcError(
            f"{video} is no video or is damaged; name a video file or a folder of photos."
        ) from error
    with container:
        streams = [s for s in container.streams.video if not _is_cover(s)]
        if not streams:
            raise CgcError(f"{video} has no video stream; name a video file or a folder of photos.")
        streams[0].thread_type = "AUTO"
        yield container, streams[0]


def _is_cover(stream: VideoStream) -> bool:
    from av.stream import Disposition

    return bool(stream.disposition & Disposition.attached_pic)


def _scan(
    video: Path,
    container: InputContainer,
    stream: VideoStream,
    report: Reporter,
    should_stop: ShouldStop,
) -> _Span:
    """Read the times of all frames without decoding them: headers may lie about the duration."""
    from av.error import FFmpegError

    first, last, step, count = math.inf, -math.inf, 0.0, 0
    total = container.size or 0
    try:
        for packet in container.demux(stream):
            if should_stop():
                raise Interrupted(SCAN_STAGE)
            if packet.pts is None or packet.time_base is None:
                continue
            time = float(packet.pts * packet.time_base)
            first, last, count = min(first, time), max(last, time), count + 1
            if packet.duration:
                step = float(packet.duration * packet.time_base)
            if count % 200 == 0 and packet.pos is not None:
                report(Progress(SCAN_STAGE, min(packet.pos, total), total))
    except (FFmpegError, OSError):
        pass  # a damaged end; what lies before is used
    if count == 0:
        raise CgcError(
            f"{video} holds no frame that can be decoded; convert it to MP4 with another program, "
            "or give photos."
        )
    return _Span(first, last + (step or (last - first) / max(count - 1, 1) or 1.0))


def _best_frames(
    video: Path,
    span: _Span,
    count: int,
    first: int,
    max_size: int,
    report: Reporter,
    should_stop: ShouldStop,
) -> Iterator[_Best]:
    """Yield the best frame of each stretch from the `first` on."""
    best: _Best | None = None
    with _opened(video) as (container, stream):
        for frame, time in _decoded(container, stream, span, count, first):
            if should_stop():
                raise Interrupted(STAGE)
            stretch = span.stretch(time, count)
            if stretch < first:
                continue
            if best is not None and stretch > best.stretch:
                yield best
                best = None
            report(Progress(STAGE, stretch, count))
            score = sharpness(_grey(frame))
            if best is None or score > best.score:
                best = _Best(stretch, time, score, _pixels(frame, max_size))
        if best is not None:
            yield best


def _decoded(
    container: InputContainer, stream: VideoStream, span: _Span, count: int, first: int
) -> Iterator[tuple[VideoFrame, float]]:
    """Yield frames and their times in order, from a little before a stretch on.

    Raises:
        _Damaged: the rest cannot be decoded.
    """
    from av.error import FFmpegError

    if first > 0:
        start = span.start + (span.end - span.start) * first / count
        try:
            container.seek(int(start / stream.time_base), stream=stream)  # pyright: ignore[reportOperatorIssue]
        except (FFmpegError, OSError):
            container.seek(0)
    failures, last_failure = 0, ""
    for packet in _packets(container, stream):
        try:
            frames = packet.decode()
        except (FFmpegError, OSError) as error:
            failures, last_failure = failures + 1, str(error.strerror or error)
            continue  # a damaged packet in the middle; the decoder finds its way again
        for frame in frames:
            if frame.pts is None or frame.is_corrupt:
                continue
            failures = 0
            yield frame, float(frame.time)  # pyright: ignore[reportArgumentType]
    if failures:
        raise _Damaged(last_failure)


def _packets(container: InputContainer, stream: VideoStream) -> Iterator[Any]:
    from av.error import FFmpegError

    try:
        yield from container.demux(stream)
    except (FFmpegError, OSError) as error:
        raise _Damaged(str(error.strerror or error)) from error


def _grey(frame: VideoFrame) -> np.ndarray:
    width, height = fitted_size((frame.width, frame.height), _COMPARED_SIZE)
    return frame.reformat(width=width, height=height, format="gray").to_ndarray()


def _pixels(frame: VideoFrame, max_size: int) -> np.ndarray:
    """Return the frame (H, W, 3) sRGB, turned as its metadata says."""
    width, height = fitted_size((frame.width, frame.height), max_size)
    if is_high_dynamic_range(frame):
        pixels = srgb_pixels(frame, width, height)
    else:
        pixels = frame.reformat(width=width, height=height, format="rgb24").to_ndarray()
    return np.ascontiguousarray(np.rot90(pixels, round(_rotation(frame) / 90) % 4))


def _rotation(frame: VideoFrame) -> float:
    """Return by how many degrees, counter-clockwise, a player turns the frame."""
    return frame.rotation


def _recorded(work: Path) -> tuple[list[WorkingPhoto], int]:
    """Return the frames that are there and the first stretch that is not."""
    found = PhotoList.read(work / _RECORD)
    if found is None:
        return [], 0
    photos = [photo for photo in found.photos if (work / "photos" / photo.file).is_file()]
    if len(photos) < len(found.photos) or not photos:
        return [], 0
    return photos, int(photos[-1].name[6:11])
