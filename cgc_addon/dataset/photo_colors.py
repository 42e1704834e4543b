# SPDX-License-Identifier: GPL-3.0-or-later
"""What the numbers of a photo mean: which file says it where, and how they become sRGB.

An ICC profile is the usual way. Cameras that are set to Adobe RGB say so in EXIF alone; PNG, HEIC
and AVIF may name colours by the numbers of ITU-T H.273, which is how HDR stills are marked.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image

from ..srgb import linear_from_srgb, srgb_from_linear
from .color_profiles import is_srgb, to_srgb
from .high_dynamic_range import BT2020, DISPLAY_P3, HLG, LINEAR_TO_SRGB, PQ, srgb_of_hdr

_UNSPECIFIED = 2
"""In H.273, of either number."""
_SRGB_TRANSFER = (1, 6, 13, 14, 15)
"""Curves of photos and ordinary video (H.273 table 3), which all are shown as sRGB is."""
_ROWS = 64
"""Of a photo that are worked on at a time."""
_HEAD = 1 << 16
"""Bytes of a file in which its colours are named."""
_PNG = b"\x89PNG\r\n\x1a\n"
_EXIF_COLOR_SPACE, _INTEROPERABILITY = 0xA001, 1
_ADOBE_RGB, _UNCALIBRATED = 2, 0xFFFF
_ADOBE_GAMMA = 2.19921875
"""Adobe RGB (1998), 4.3.1.2."""
_LINEAR_ADOBE = np.array(
    [[1.3983557, -0.3983557, 0.0], [0.0, 1.0, 0.0], [0.0, -0.0429290, 1.0429290]]
)
"""Linear light of Adobe RGB (1998) in the primaries of sRGB; both have the white D65."""


@dataclass(frozen=True)
class PhotoColors:
    """Which colours a photo is stored in; as it is made, sRGB."""

    profile: bytes | None = None
    """ICC."""
    primaries: int = _UNSPECIFIED
    transfer: int = _UNSPECIFIED
    """As H.273 numbers them."""
    adobe_rgb: bool = False
    """Whether EXIF says Adobe RGB, where there is no profile."""

    @property
    def are_hdr(self) -> bool:
        """Whether the numbers are light as HLG or PQ encode it."""
        return self.transfer in (PQ, HLG)

    @property
    def are_srgb(self) -> bool:
        """Whether the photo needs no change."""
        return not (self.are_hdr or self.adobe_rgb or self._are_wide) and is_srgb(self.profile)

    @property
    def _are_wide(self) -> bool:
        known = self.transfer in (*_SRGB_TRANSFER, _UNSPECIFIED)
        return not self.profile and known and self.primaries in (BT2020, DISPLAY_P3)


def colors_of(image: Image.Image, path: Path) -> PhotoColors:
    """Find out which colours an opened photo is stored in.

    Args:
        image: as Pillow opened it, decoded or not.
        path: its file.
    """
    profile = image.info.get("icc_profile")
    primaries, transfer = _coded(path)
    adobe = not profile and primaries == _UNSPECIFIED and _says_adobe_rgb(image)
    return PhotoColors(profile, primaries, transfer, adobe)


def in_srgb(image: Image.Image, colors: PhotoColors) -> Image.Image:
    """Return a photo in sRGB; itself where it is that already.

    Args:
        image: of mode "RGB".
        colors: that it is stored in.
    """
    if colors.are_srgb:
        return image
    if colors.are_hdr:
        return Image.fromarray(srgb_of_hdr(np.asarray(image), colors.transfer, colors.primaries))
    if colors.adobe_rgb:
        light = (np.arange(256) / 255.0) ** _ADOBE_GAMMA
        return _from_light(image, light, _LINEAR_ADOBE)
    if colors.profile:
        return to_srgb(image, colors.profile)
    light = linear_from_srgb(np.arange(256) / 255.0)
    return _from_light(image, light, LINEAR_TO_SRGB[colors.primaries])


def _from_light(
    image: Image.Image, light: NDArray[np.float64], matrix: NDArray[np.float64]
) -> Image.Image:
    """Return an image in sRGB.

    Args:
        image: of mode "RGB".
        light: (256,) that each stored number stands for, 1 is white.
        matrix: (3, 3) from its primaries to those of sRGB.
    """
    stored = np.asarray(image)
    pixels = np.empty_like(stored)
    table, turn = light.astype(np.float32), matrix.T.astype(np.float32)
    for first in range(0, len(stored), _ROWS):
        rows = slice(first, first + _ROWS)
        encoded = srgb_from_linear(np.clip(table[stored[rows]] @ turn, 0.0, 1.0))
        pixels[rows] = np.round(encoded * 255.0)
    return Image.fromarray(pixels)


def _coded(path: Path) -> tuple[int, int]:
    """Return primaries and transfer as a file names them by number."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except OSError:  # who decodes it says so
        return _UNSPECIFIED, _UNSPECIFIED
    if head.startswith(_PNG):
        return _coded_in_png(head)
    # ISO/IEC 23008-12: the box colr of kind nclx; big-endian numbers of 16 bits.
    start = head.find(b"colrnclx") if head[4:8] == b"ftyp" else -1
    if start < 0 or len(head) < start + 12:
        return _UNSPECIFIED, _UNSPECIFIED
    return struct.unpack(">HH", head[start + 8 : start + 12])


def _coded_in_png(head: bytes) -> tuple[int, int]:
    """Return what the chunk cICP says (PNG, third edition, 11.3.2.6); it is before the pixels."""
    place = len(_PNG)
    while place + 12 <= len(head):
        length, kind = struct.unpack(">I4s", head[place : place + 8])
        if kind == b"cICP" and length == 4:
            return head[place + 8], head[place + 9]
        if kind == b"IDAT":
            break
        place += 12 + length
    return _UNSPECIFIED, _UNSPECIFIED


def _says_adobe_rgb(image: Image.Image) -> bool:
    """Say whether EXIF names Adobe RGB, as DCF 2.0 and some programs write it."""
    try:
        exif = image.getexif()
        color_space = exif.get_ifd(ExifTags.IFD.Exif).get(_EXIF_COLOR_SPACE)
        if color_space != _UNCALIBRATED:
            return color_space == _ADOBE_RGB
        return str(exif.get_ifd(ExifTags.IFD.Interop).get(_INTEROPERABILITY, "")).startswith("R03")
    except Exception:  # Pillow's EXIF reader raises nearly anything on damaged bytes
        return False
