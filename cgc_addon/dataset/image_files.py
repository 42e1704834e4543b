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
from ..files import check_is_file, replacing
from .photo_colors import colors_of, in_srgb

JPEG_ENDINGS = frozenset({".jpg", ".jpeg"})
HEIC_ENDINGS = frozenset({".heic", ".heif", ".hif"})
_DEEP_MODES = ("I", "F")
"""How Pillow's names begin of grey images with more than 8 bits."""
_TRANSPARENT_MODES = frozenset({"RGBA", "LA", "PA", "RGBa", "La"})
LARGEST_PIXELS = 1 << 30
"""Width times height; 3 GiB of memory, and five times what the largest sensors take."""
_TWELVE_BITS = 1 << 12
_SMALLEST_WHITE = 64.0
"""Where numbers with a point are all less, but not between 0 and 1, they are light, not greys."""
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


def may_be_transparent(path: Path) -> bool:
    """Say whether an image has transparency, by its header.

    Raises:
        CgcError: the file is missing or no image.
    """
    with _opened(path) as image:
        return _may_be_transparent(image)


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
        path: any format that Pillow reads; what is transparent becomes black, as far as it is;
            colours become sRGB.
        upright: turn it as EXIF says.

    Returns:
        (H, W, 3) sRGB.

    Raises:
        CgcError: the file is missing, truncated or no image, or its numbers are none of a photo.
    """
    with _opened(path) as stored:
        sixteen_bits = is_deep(stored)
        stored.load()
        image = ImageOps.exif_transpose(stored) if upright else stored
        if image.mode.startswith(_DEEP_MODES):  # `convert` would clip them to white or black
            grey = eight_bits(np.asarray(image), str(path))
            return np.repeat(grey[..., None], 3, axis=2)
        pixels = np.array(in_srgb(image.convert("RGB"), colors_of(stored, path)))
        if (opacity := _opacity(image)) is not None:
            pixels = over_black(pixels, opacity)
    if sixteen_bits and 0 < pixels.max() < _TWELVE_BITS >> 8:
        raise CgcError(
            f"{path} has 16 bits for each colour, but uses the darkest sixteenth of them only; "
            "save it with 8 bits, or with 16 that are all used."
        )
    return pixels


def read_opacity(path: Path, *, upright: bool = False) -> NDArray[np.uint8] | None:
    """Decode how opaque a photo is.

    Args:
        path: any format that Pillow reads.
        upright: turn it as EXIF says.

    Returns:
        (H, W) 0 = transparent, 255 = opaque; None where the file has no transparency.

    Raises:
        CgcError: the file is missing, truncated or no image.
    """
    with _opened(path) as stored:
        if not _may_be_transparent(stored):
            return None
        stored.load()
        return _opacity(ImageOps.exif_transpose(stored) if upright else stored)


def over_black(pixels: NDArray[np.uint8], opacity: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a picture (H, W, 3) laid over black, (H, W) 255 = opaque.

    Example:
        >>> opacity = np.array([[0, 51, 255]], np.uint8)
        >>> over_black(np.full((1, 3, 3), 200, np.uint8), opacity)[..., 0].tolist()
        [[0, 40, 200]]
    """
    products = pixels.astype(np.uint16) * opacity[..., None]
    return ((products + 127) // 255).astype(np.uint8)


def _may_be_transparent(image: Image.Image) -> bool:
    return image.mode in _TRANSPARENT_MODES or "transparency" in image.info


def _opacity(image: Image.Image) -> NDArray[np.uint8] | None:
    """Return how opaque an image is (H, W), None where nothing says so."""
    if not _may_be_transparent(image):
        return None
    return np.array(image.convert("RGBA").getchannel("A"))


def is_deep(image: Image.Image) -> bool:
    """Say whether an image that was opened and not decoded yet has more than 8 bits per value."""
    return image.mode.startswith(_DEEP_MODES) or ";16" in str(getattr(image, "tile", ""))


def has_other_colors(path: Path) -> bool:
    """Say whether an image is stored in other colours than sRGB, as in Display P3, or in HDR.

    Raises:
        CgcError: the file is missing or no image.
    """
    with _opened(path) as image:
        return not colors_of(image, path).are_srgb


def eight_bits(grey: NDArray, place: str) -> NDArray[np.uint8]:
    """Return grey values of more than 8 bits as 8 bits.

    Whole numbers fill 16 bits, or 12 where none is larger; others go from 0 to 1, or to 255.

    Args:
        grey: (H, W) of any type.
        place: how the error begins.

    Raises:
        CgcError: the values are of no such range.

    Example:
        >>> eight_bits(np.array([[0, 65535]]), "a.tif").tolist()
        [[0, 255]]
        >>> eight_bits(np.array([[0.0, 0.2, 1.0]]), "a.tif").tolist()
        [[0, 51, 255]]
    """
    low, high = grey.min(), grey.max()
    whole = np.issubdtype(grey.dtype, np.integer)
    if whole and low >= 0 and high < 1 << 16:
        return (grey.astype(np.uint32) >> (4 if high < _TWELVE_BITS else 8)).astype(np.uint8)
    if not whole and low >= 0 and high <= 1.0:
        return np.round(grey * 255.0).astype(np.uint8)
    if not whole and low >= 0 and _SMALLEST_WHITE <= high <= 255.0:
        return grey.astype(np.uint8)
    raise CgcError(
        f"{place} has values from {low:g} to {high:g}, of which it is not known what is black and "
        "what is white; save it as a photo with 8 or 16 bits for each colour."
    )


def open_image(path: Path) -> Image.Image:
    """Open an image, however large, without decoding it; Pillow raises what it likes.

    Raises:
        CgcError: it is larger than any photo, or HEIC that cannot be read here, or no file.
    """
    if path.suffix.lower() in HEIC_ENDINGS and path.is_file() and not reads_heic():
        raise CgcError(
            f"{path} is HEIC, which needs the package pillow-heif in the engine's Python; "
            "install that, or convert the photos to JPEG."
        )
    Image.MAX_IMAGE_PIXELS = None  # Pillow's limit is for files of strangers: it is below phones'
    check_is_file(path)
    image = Image.open(path)
    if image.width * image.height > LARGEST_PIXELS:
        image.close()
        raise CgcError(
            f"{path} is {image.width}×{image.height} px, more than {LARGEST_PIXELS >> 20} "
            "megapixels; the file is damaged, or make it smaller."
        )
    return image


def reads_heic() -> bool:
    """Make Pillow read HEIC and say whether it can; the package for that is no part of this."""
    try:
        import pillow_heif  # pyright: ignore[reportMissingImports]
    except ImportError:
        return False
    pillow_heif.register_heif_opener()
    return True


def read_small(path: Path, size: int = 256) -> NDArray[np.uint8] | None:
    """Return a photo (H, W, 3) sRGB whose longest side is `size` px at most, None if it is damaged.

    JPEG is decoded at that size, which is quick.
    """
    try:
        with _opened(path) as image:
            image.draft("RGB", (size, size))
            small = in_srgb(image.convert("RGB"), colors_of(image, path))
            small.thumbnail((size, size))
            return np.array(small)
    except CgcError:
        return None


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

    PNG may have a fourth channel, 255 = opaque.

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
        with open_image(path) as image:
            yield image
    except CgcError:
        raise
    except FileNotFoundError:
        raise CgcError(f"{path} is missing.") from None
    # Pillow's readers raise nearly anything on damaged files: OSError, SyntaxError, struct.error,
    # …; nothing but reading happens within this block.
    except Exception as error:
        raise CgcError(
            f"{path} could not be read as an image: {error or type(error).__name__}; "
            "the file is damaged or no image, replace it."
        ) from error
