# SPDX-License-Identifier: GPL-3.0-or-later
"""HDR pictures (HLG, PQ) become sRGB, as bright as the same scene in ordinary photos and video.

HDR says how much light a display gives, in cd/m²; white paper is at 203 (ITU-R BT.2408), which
becomes white here. What shines more is compressed, alike in every frame: what is seen from several
places must look the same from all of them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..srgb import srgb_from_linear

PQ, HLG = 16, 18
"""Transfer characteristics, ITU-T H.273 table 3."""
BT2020, DISPLAY_P3 = 9, 12
"""Colour primaries, table 2."""
_ROWS = 64
"""Of a picture that are worked on at a time."""
_PAPER_WHITE = 203.0
"""cd/m², ITU-R BT.2408-7 table 1."""
_HLG_PEAK, _HLG_GAMMA = 1000.0, 1.2
"""Of the display that HLG is meant for, cd/m²; and its system gamma, ITU-R BT.2100-2 table 5."""
_SHOULDER = 0.8
"""Of white: up to it light stays what it is, beyond it approaches white without reaching it."""
_LUMINANCE = np.array([0.2627, 0.6780, 0.0593])
"""Of red, green and blue of BT.2020."""
LINEAR_TO_SRGB = {
    BT2020: np.array(
        [
            [1.6604910, -0.5876411, -0.0728499],
            [-0.1245505, 1.1328999, -0.0083494],
            [-0.0181508, -0.1005789, 1.1187297],
        ]
    ),
    DISPLAY_P3: np.array(
        [
            [1.2249402, -0.2249402, 0.0],
            [-0.0420570, 1.0420570, 0.0],
            [-0.0196376, -0.0786361, 1.0982737],
        ]
    ),
}
"""Linear light of other primaries in those of sRGB, which are BT.709's."""


def srgb_of_hdr(
    signal: NDArray[np.uint8] | NDArray[np.uint16], transfer: int, primaries: int
) -> NDArray[np.uint8]:
    """Return an HDR picture in sRGB.

    Args:
        signal: (H, W, 3) as stored: full range of its type.
        transfer: `PQ` or `HLG`.
        primaries: `BT2020`, `DISPLAY_P3`; others count as those of sRGB.

    Returns:
        (H, W, 3) sRGB.
    """
    pixels = np.empty(signal.shape, np.uint8)
    light_of = _light_of_hlg if transfer == HLG else _light_of_pq
    for first in range(0, len(signal), _ROWS):  # some copies of these in double precision
        rows = slice(first, first + _ROWS)
        light = light_of(signal[rows] / float(np.iinfo(signal.dtype).max)) / _PAPER_WHITE
        if primaries in LINEAR_TO_SRGB:
            light = light @ LINEAR_TO_SRGB[primaries].T
        encoded = srgb_from_linear(_compressed(np.maximum(light, 0.0)))
        pixels[rows] = np.round(np.clip(encoded, 0.0, 1.0) * 255.0)
    return pixels


def _light_of_pq(signal: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what a display shows (H, W, 3), cd/m² (ITU-R BT.2100-2 table 4, EOTF)."""
    powered = signal ** (1.0 / 78.84375)
    ratio = np.maximum(powered - 0.8359375, 0.0) / (18.8515625 - 18.6875 * powered)
    return 10_000.0 * ratio ** (1.0 / 0.1593017578125)


def _light_of_hlg(signal: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what a display shows (H, W, 3), cd/m² (ITU-R BT.2100-2 table 5, OETF⁻¹ and OOTF)."""
    a = 0.17883277
    b, c = 1.0 - 4.0 * a, 0.5 - a * np.log(4.0 * a)
    scene = np.where(signal <= 0.5, signal**2 / 3.0, (np.exp((signal - c) / a) + b) / 12.0)
    luminance = np.maximum(scene @ _LUMINANCE, 1e-9)[..., None]
    return _HLG_PEAK * luminance ** (_HLG_GAMMA - 1.0) * scene


def _compressed(light: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return light (H, W, 3) brought below white, hues kept; 1 is white."""
    most = light.max(axis=-1, keepdims=True)
    room = 1.0 - _SHOULDER
    beyond = np.maximum(most - _SHOULDER, 0.0)
    wanted = np.minimum(most, _SHOULDER) + room * (1.0 - np.exp(-beyond / room))
    return light * (wanted / np.maximum(most, 1e-9))
