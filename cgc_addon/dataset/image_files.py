# SPDX-License-Identifier: GPL-3.0-or-later
"""Image files: headers for checks, pixels when they are asked for, one error for all that fails."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from ..errors import CgcError
from ..files import replacing

JPEG_ENDINGS = frozenset({".jpg", ".jpeg"})
_JPEG_QUALITY = 95
"""Of 100, Pillow's scale: beyond it files grow and nobody sees a difference."""
_EXIF_ORIENTATION = 0x0112
_TURNED = range(5, 9)
"""Orientations that exchange width and height."""


@dataclass(frozen=True)
class ImageHeader:
    """What is known of an image before its pixels are decoded; width and height as stored."""

    width: int
    height: int
    mode: str
    """Pillow's name: "RGB", "L", "P", "I;16"."""


def read_header(path: Path) -> ImageHeader:
    """Read size and type of an image without decoding it.

    Raises:
        CgcError: the file is missing or no image.
    """
    with _opened(path) as image:
        return ImageHeader(image.width, image.height, image.mode)


def is_shown_turned(path: Path) -> bool:
    """Say whether EXIF asks viewers to show the image on its side; COLMAP does not.

    Pillow decodes a PNG file to find this out.

    Raises:
        CgcError: the file is missing or no image.
    """
    with _opened(path) as image:
        return image.getexif().get(_EXIF_ORIENTATION, 1) in _TURNED


def read_photo(path: Path, *, upright: bool = False) -> NDArray[np.uint8]:
    """Decode a photo.

    Args:
        path: any format that Pillow reads; transparency is ignored.
        upright: turn it as EXIF says.

    Returns:
        (H, W, 3) sRGB.

    Raises:
        CgcError: the file is missing, truncated or no image.
    """
    with _opened(path) as stored:
        stored.load()
        image = ImageOps.exif_transpose(stored) if upright else stored
        if image.mode.startswith("I"):  # 16-bit grey, which `convert` would clip to white
            grey = (np.asarray(image).astype(np.uint32) >> 8).astype(np.uint8)
            return np.repeat(grey[..., None], 3, axis=2)
        return np.array(image.convert("RGB"))


def read_grey(path: Path) -> NDArray:
    """Decode an image of one channel as it is stored: grey values or palette indices.

    Returns:
        (H, W) of the type that the file has.

    Raises:
        CgcError: the file is missing, truncated or no image.
    """
    with _opened(path) as image:
        image.load()
        return np.array(image)


def write_photo(path: Path, pixels: NDArray[np.uint8]) -> None:
    """Write a photo (H, W, 3) sRGB, whole or not at all: JPEG where the name says so, else PNG.

    Raises:
        CgcError: it cannot be written.
    """
    with replacing(path) as temporary:
        if path.suffix.lower() in JPEG_ENDINGS:
            Image.fromarray(pixels).save(
                temporary, format="JPEG", quality=_JPEG_QUALITY, subsampling=0
            )
        else:
            Image.fromarray(pixels).save(temporary, format="PNG")


def write_grey(path: Path, values: NDArray[np.uint8] | NDArray[np.uint16]) -> None:
    """Write an image of one channel (H, W) as a grey PNG of 8 or 16 bits, whole or not at all.

    Raises:
        CgcError: it cannot be written.
    """
    with replacing(path) as temporary:
        Image.fromarray(values).save(temporary, format="PNG")


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    try:
        with Image.open(path) as image:
            yield image
    except FileNotFoundError:
        raise CgcError(f"{path} is missing.") from None
    # Pillow's readers raise nearly anything on damaged files: OSError, SyntaxError, struct.error,
    # DecompressionBombError, …; nothing but reading happens within this block.
    except Exception as error:
        raise CgcError(
            f"{path} could not be read as an image: {error or type(error).__name__}; "
            "the file is damaged or no image, replace it."
        ) from error
