# SPDX-License-Identifier: GPL-3.0-or-later
"""What a photo's EXIF tells about the camera that took it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from PIL import Image

_DIAGONAL_35MM = 43.27
"""Of a 35 mm film frame, in mm, rounded as COLMAP does."""
_EXIF_FOLDER = 0x8769
_ORIENTATION, _MAKE, _MODEL = 0x0112, 0x010F, 0x0110
_FOCAL_LENGTH, _FOCAL_LENGTH_35MM = 0x920A, 0xA405
_PLANE_RESOLUTION, _PLANE_UNIT, _LENS = 0xA20E, 0xA210, 0xA434
_WIDTH, _HEIGHT = 0xA002, 0xA003
_MILLIMETRES = {2: 25.4, 3: 10.0, 4: 1.0}
"""In one unit of the sensor's resolution: inch, centimetre, millimetre."""


@dataclass(frozen=True)
class ExifFacts:
    """Orientation, camera and focal length, as far as the photo tells."""

    orientation: int
    """1 … 8 as EXIF counts; 1 is upright."""
    camera: str
    """Maker, model and lens, "" where unknown."""
    focal_35mm: float | None
    """Focal length that frames a 35 mm film alike along the diagonal, mm."""

    @property
    def is_turned(self) -> bool:
        """Whether turning the photo upright exchanges its width and height."""
        return self.orientation >= 5

    def focal_pixels(self, width: int, height: int) -> float | None:
        """Return the focal length of the photo at some size, px."""
        if self.focal_35mm is None:
            return None
        return self.focal_35mm / _DIAGONAL_35MM * math.hypot(width, height)


def read_exif(image: Image.Image) -> ExifFacts:
    """Read the facts of an opened image; damaged ones count as missing."""
    try:
        exif = image.getexif()
        details = exif.get_ifd(_EXIF_FOLDER)
    except Exception:  # Pillow's EXIF reader raises nearly anything on damaged bytes
        return ExifFacts(1, "", None)
    orientation = exif.get(_ORIENTATION, 1)
    names = (exif.get(_MAKE), exif.get(_MODEL), details.get(_LENS))
    return ExifFacts(
        orientation if orientation in range(1, 9) else 1,
        " ".join(text for name in names if name and (text := str(name).strip(" \0"))),
        _focal_35mm(details),
    )


def _focal_35mm(details: Mapping[int, Any]) -> float | None:
    if (focal := _positive(details.get(_FOCAL_LENGTH_35MM))) is not None:
        return focal
    # Larger cameras leave it out, but tell how fine their sensor is.
    millimetres = _positive(details.get(_FOCAL_LENGTH))
    resolution = _positive(details.get(_PLANE_RESOLUTION))
    width, height = (_positive(details.get(tag)) for tag in (_WIDTH, _HEIGHT))
    unit = _MILLIMETRES.get(details.get(_PLANE_UNIT, 2))
    if not (millimetres and resolution and width and height and unit):
        return None
    diagonal = math.hypot(width, height) / resolution * unit
    focal = millimetres / diagonal * _DIAGONAL_35MM
    return focal if 2.0 < focal < 2000.0 else None  # else the resolution is not the sensor's


def _positive(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        return None
    return number if 0.0 < number < math.inf else None
