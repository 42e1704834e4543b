# SPDX-License-Identifier: GPL-3.0-or-later
"""Frames of HDR video become sRGB."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..dataset.high_dynamic_range import HLG, PQ, srgb_of_hdr

if TYPE_CHECKING:
    from av.video.frame import VideoFrame


def is_high_dynamic_range(frame: VideoFrame) -> bool:
    """Say whether a frame holds light as HLG or PQ encode it."""
    return frame.color_trc in (PQ, HLG)


def srgb_pixels(frame: VideoFrame, width: int, height: int) -> NDArray[np.uint8]:
    """Return the pixels (height, width, 3) sRGB of an HDR frame, made that large."""
    wide = frame.reformat(width=width, height=height, format="rgb48le").to_ndarray()
    return srgb_of_hdr(np.asarray(wide, np.uint16), frame.color_trc, frame.color_primaries)
