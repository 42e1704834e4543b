# SPDX-License-Identifier: GPL-3.0-or-later
"""A folder of photos becomes working copies: upright, RGB, no longer than asked for."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image, ImageOps

from ..dataset.image_files import (
    JPEG_ENDINGS,
    is_deep,
    may_be_transparent,
    open_image,
    read_opacity,
    read_photo,
    write_photo,
)
from ..dataset.photo_colors import PhotoColors, colors_of, in_srgb
from ..dataset.resize import fitted_size
from ..errors import CgcError, Interrupted
from ..files import replacing
from ..progress import Progress, Reporter, ShouldStop, never, silent
from .exif import ExifFacts, read_exif
from .panorama import WHAT_TO_DO, has_shape_of_panorama, is_panorama
from .photo_list import PhotoList, WorkingPhoto, working_file
from .sources import Source

STAGE = "Preparing photos"
_LOSSLESS = frozenset({".png", ".tif", ".tiff", ".bmp", ".tga", ".ppm", ".pgm", ".pnm", ".qoi"})
_PANORAMAS = 0.3
"""Share of the photos of their shape: if so many look like panoramas, all of them are."""
_SMALLEST = 64
"""Shortest side of a photo in which features can be found, px."""


def prepare_photos(
    sources: Sequence[Source],
    folder: Path,
    max_size: int,
    *,
    threads: int = 1,
    report: Reporter = silent,
    should_stop: ShouldStop = never,
) -> PhotoList:
    """Write working copies of the photos; copies that are there from an earlier call are kept.

    Args:
        sources: files that should be photos.
        folder: of the copies.
        max_size: longest side of the copies, px.
        threads: photos that are decoded at once.
        report: progress.
        should_stop: asked between photos.

    Returns:
        The photos that could be read, and why the others could not.

    Raises:
        CgcError: the folder cannot be written.
        Interrupted: `should_stop` said so; copies written until then stay, each of them whole.
    """
    photos: list[WorkingPhoto] = []
    left_out: list[tuple[str, str]] = []
    with warnings.catch_warnings(), ThreadPoolExecutor(threads) as pool:
        warnings.simplefilter("ignore")  # Pillow's, on tags that are of no use here
        for start in range(0, len(sources), threads):
            if should_stop():
                raise Interrupted(STAGE)
            report(Progress(STAGE, start, len(sources)))
            batch = sources[start : start + threads]
            outcomes = pool.map(lambda source: _prepare(source, folder, max_size), batch)
            for source, outcome in zip(batch, outcomes, strict=True):
                if isinstance(outcome, WorkingPhoto):
                    photos.append(outcome)
                else:
                    left_out.append((source.name, outcome))
    report(Progress(STAGE, len(sources), len(sources)))
    return _without_panoramas(PhotoList(tuple(photos), tuple(left_out)))


def _without_panoramas(found: PhotoList) -> PhotoList:
    """Leave out what has the shape of panoramas where those that look so are not alone."""
    known = sum(reason == WHAT_TO_DO for _, reason in found.left_out)
    alike = [photo for photo in found.photos if has_shape_of_panorama(photo.width, photo.height)]
    if not alike or known < _PANORAMAS * (known + len(alike)):
        return found
    others = tuple((photo.source, WHAT_TO_DO) for photo in alike)
    photos = tuple(photo for photo in found.photos if photo not in alike)
    return PhotoList(photos, (*found.left_out, *others))


def _prepare(source: Source, folder: Path, max_size: int) -> WorkingPhoto | str:
    """Write one working copy and describe it, or return why the photo cannot be used."""
    try:
        with open_image(source.path) as image:
            facts, size, ready = _inspect(image, source.path, max_size)
            photo = _describe(source, facts, size, transparent=may_be_transparent(source.path))
            path = folder / photo.file
            if min(size) < _SMALLEST:
                return f"it has only {size[0]}×{size[1]} px"
            if path.is_file():  # it is whole, as all copies are
                return photo
            with open_image(source.path) as whole:  # it may be decoded small
                if is_panorama(whole):
                    return WHAT_TO_DO
            # Also where it could be copied: a file that ends early shows only when it is decoded.
            pixels = _decode(image, source.path, facts, size)
    except CgcError as error:
        return str(error)
    except Exception as error:  # see `image_files`: Pillow's readers raise nearly anything
        return f"it is damaged or no photo ({error or type(error).__name__})"
    if ready:
        with replacing(path) as temporary:
            shutil.copyfile(source.path, temporary)
    else:
        write_photo(path, pixels)
    return photo


def _inspect(
    image: Image.Image, path: Path, max_size: int
) -> tuple[ExifFacts, tuple[int, int], bool]:
    """Return EXIF, size of the copy, and whether the file can be copied as it is."""
    facts = read_exif(image)
    size = (image.height, image.width) if facts.is_turned else image.size
    fitted = fitted_size(size, max_size)
    ready = (
        fitted == size
        and facts.orientation == 1
        and image.mode in ("RGB", "L")
        and image.format in ("JPEG", "PNG")
        and colors_of(image, path).are_srgb
        and _ending(path) == path.suffix
    )
    return facts, fitted, ready


def _decode(image: Image.Image, path: Path, facts: ExifFacts, size: tuple[int, int]) -> np.ndarray:
    """Return the pixels (H, W, 3) upright at a size; (H, W, 4) where some may be transparent."""
    colors, opacity = PhotoColors(), read_opacity(path, upright=True)
    if is_deep(image):
        image = Image.fromarray(read_photo(path, upright=True))
    else:
        # JPEG can be decoded at a half, a quarter or an eighth: quickly, and in little memory.
        image.draft("RGB", (size[1], size[0]) if facts.is_turned else size)
        image.load()
        colors = colors_of(image, path)
        image = ImageOps.exif_transpose(image).convert("RGB")
    if image.size != size:
        image = image.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
    pixels = np.array(in_srgb(image, colors))
    if opacity is None or opacity.min() == 255:
        return pixels
    fitted = Image.fromarray(opacity).resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
    opacity = np.asarray(fitted)
    # What was cut out is not looked at: as a rule it did not move with the thing.
    return np.dstack([np.where(opacity[..., None] > 0, pixels, np.uint8(0)), opacity])


def _describe(
    source: Source, facts: ExifFacts, size: tuple[int, int], *, transparent: bool
) -> WorkingPhoto:
    ending = _ending(source.path)
    if transparent and ending.lower() in JPEG_ENDINGS:
        ending = ".png"
    name = PurePosixPath(source.name).with_suffix(ending).as_posix()
    folder = PurePosixPath(source.name).parent.as_posix()
    return WorkingPhoto(
        name=name,
        file=working_file(name),
        source=source.name,
        width=size[0],
        height=size[1],
        camera=facts.camera or f"folder {folder}",
        focal=facts.focal_pixels(*size),
    )


def _ending(path: Path) -> str:
    """Return the ending of a photo in the dataset: its own, where all programs read that."""
    ending = path.suffix.lower()
    if ending in JPEG_ENDINGS or ending == ".png":
        return path.suffix
    return ".png" if ending in _LOSSLESS else ".jpg"
