# SPDX-License-Identifier: GPL-3.0-or-later
"""Masks as pictures and arrays: label maps, in grey or in colours, and a file for each object."""

from __future__ import annotations

import tokenize
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...dataset.image_files import read_grey, read_header
from ...errors import CgcError
from ...files import check_is_file
from .maps import Findings, ForeignMap, Photo, label_map_of_ids, label_map_of_masks
from .names import Placement, place_by_name, place_by_number

PICTURE_ENDINGS = frozenset({".png", ".tif", ".tiff", ".bmp"})
"""In lower case, of formats that keep every id as it is."""
ARRAY_ENDING = ".npy"
MOST_COLORS = 4096
"""A picture with more colours is a photo, or its edges are blurred."""
_UNREADABLE = (
    *(OSError, ValueError, EOFError, MemoryError),
    *(OverflowError, TypeError, SyntaxError, tokenize.TokenError),  # of the headers of arrays
)


def find_pictures(folder: Path, files: Sequence[Path], photos: Sequence[Photo]) -> Findings | None:
    """Recognise label maps `<photo>.png`, or a folder `<photo>/` with a picture for each object.

    Args:
        folder: the source.
        files: below it.
        photos: of the dataset.

    Returns:
        None where there are no pictures, or none belongs to a photo.

    Raises:
        CgcError: a file is damaged, or several belong to one photo.
    """
    named = _by_name([path for path in files if path.suffix.lower() in PICTURE_ENDINGS], folder)
    if not named:
        return None
    groups: dict[str, list[Path]] = {}
    for name, path in named.items():
        if "/" in name:
            groups.setdefault(name.rpartition("/")[0], []).append(path)
    names = [photo.name for photo in photos]
    whole = place_by_name(list(named), names)
    each = place_by_name(list(groups), names)
    if sum(len(groups[name]) for name in each.names.values()) > len(whole.names):
        _check(each, folder)
        return _objects(folder, groups, each, named, photos)
    placement = whole if whole.names else place_by_number(list(named), names)
    if placement is None:
        return None
    _check(placement, folder)
    maps = []
    for photo in photos:
        if photo.stem in placement.names:
            path = named[placement.names[photo.stem]]
            header = read_header(path)
            size = (header.width, header.height)
            maps.append(ForeignMap(photo, str(path), partial(read_picture, path), size))
    kept = set(placement.names.values())
    strangers = tuple(str(path) for name, path in named.items() if name not in kept)
    return Findings("label maps", placement.how, tuple(maps), strangers)


def find_arrays(folder: Path, files: Sequence[Path], photos: Sequence[Photo]) -> Findings | None:
    """Recognise label maps `<photo>.npy`; arguments and errors as those of `find_pictures`."""
    named = _by_name([path for path in files if path.suffix.lower() == ARRAY_ENDING], folder)
    if not named:
        return None
    names = [photo.name for photo in photos]
    placement = place_by_name(list(named), names)
    if not placement.names:
        placement = place_by_number(list(named), names)
    if placement is None:
        return None
    _check(placement, folder)
    maps = []
    for photo in photos:
        if photo.stem in placement.names:
            path = named[placement.names[photo.stem]]
            height, width = open_array(path).shape
            maps.append(ForeignMap(photo, str(path), partial(read_array, path), (width, height)))
    kept = set(placement.names.values())
    strangers = tuple(str(path) for name, path in named.items() if name not in kept)
    return Findings("label maps as NumPy arrays", placement.how, tuple(maps), strangers)


def read_picture(path: Path) -> NDArray[np.uint16]:
    """Return the label map (H, W) of a picture: grey values, palette indices, or one id a colour.

    Black and what is transparent are unlabelled. Colours get ids in the order of their values.

    Raises:
        CgcError: the file is damaged, or has so many colours that it is no label map.
    """
    values = read_grey(path)
    mode = read_header(path).mode
    if values.ndim == 2:
        if not np.issubdtype(values.dtype, np.integer) and values.dtype != np.bool_:
            raise CgcError(
                f"{path} holds fractions (mode {mode}), but a label map has whole numbers; save "
                "the ids as a 16-bit grey PNG."
            )
        return label_map_of_ids(values, str(path))
    if mode not in ("RGB", "RGBA", "LA"):
        raise CgcError(
            f"{path} has the colour mode {mode}; save label maps as grey, palette or RGB pictures."
        )
    values = values.astype(np.int64)
    has_alpha = mode in ("RGBA", "LA")
    colors = values[..., :-1] if has_alpha else values
    codes = np.zeros(values.shape[:2], np.int64)
    for channel in range(colors.shape[2]):
        codes = codes * 256 + colors[..., channel]
    if has_alpha:
        codes[values[..., -1] == 0] = 0
    if mode == "LA":
        return label_map_of_ids(codes, str(path))
    found, places = np.unique(codes, return_inverse=True)
    if len(found) > MOST_COLORS:
        raise CgcError(
            f"{path} has {len(found):,} colours: it is a photo, or its objects have blurred edges "
            "or shades; save label maps with one plain colour, or one grey value, for each object."
        )
    return (places.reshape(codes.shape) + (found[0] != 0)).astype(np.uint16)


def open_array(path: Path) -> NDArray:
    """Return the array of a file without reading its values.

    Raises:
        CgcError: the file is damaged, or no label map; nothing in it is executed.
    """
    try:
        check_is_file(path)
        values = np.load(path, mmap_mode="r", allow_pickle=False)
    except _UNREADABLE as error:
        raise CgcError(
            f"{path} could not be read as a NumPy array: {error or type(error).__name__}; the file "
            "is damaged or holds Python objects, save the ids again with numpy.save."
        ) from error
    if values.ndim != 2:
        raise CgcError(
            f"{path} has {values.ndim} dimensions {values.shape}, but a label map has two, height "
            "and width; save one id for each pixel."
        )
    if not np.issubdtype(values.dtype, np.integer) and values.dtype != np.bool_:
        raise CgcError(
            f"{path} holds {values.dtype}, but ids are whole numbers; save it as an integer type."
        )
    return values


def read_array(path: Path) -> NDArray[np.uint16]:
    """Return the label map (H, W) of a NumPy file.

    Raises:
        CgcError: the file is damaged, or no label map.
    """
    return label_map_of_ids(np.array(open_array(path)), str(path))


def read_object(path: Path) -> NDArray[np.bool_]:
    """Return the mask (H, W) of a picture that shows one object.

    Raises:
        CgcError: the file is damaged, or has more than two values.
    """
    values = read_grey(path)
    if values.ndim == 3:
        if values.shape[2] in (2, 4):  # where it is transparent, there is no object
            values = values[..., :-1] * (values[..., -1:] > 0)
        values = values.max(axis=2)
    if len(np.unique(values)) > 2:
        raise CgcError(
            f"{path} lies in a folder for one photo, so it should show one object in two values, "
            f"but has {len(np.unique(values))}; save each object as a black and white PNG, or all "
            "objects of a photo as one label map beside the folders."
        )
    return values > 0


def _objects(
    folder: Path,
    groups: Mapping[str, Sequence[Path]],
    placement: Placement,
    named: Mapping[str, Path],
    photos: Sequence[Photo],
) -> Findings:
    maps = []
    for photo in photos:
        if photo.stem in placement.names:
            name = placement.names[photo.stem]
            header = read_header(groups[name][0])
            size = (header.width, header.height)
            read = partial(_read_objects, groups[name], size, str(folder / name))
            maps.append(ForeignMap(photo, str(folder / name), read, size))
    kept = {path for name in placement.names.values() for path in groups[name]}
    strangers = tuple(str(path) for path in named.values() if path not in kept)
    return Findings("a picture for each object", placement.how, tuple(maps), strangers)


def _read_objects(files: Sequence[Path], size: tuple[int, int], place: str) -> NDArray[np.uint16]:
    def masks():
        for path in files:
            mask = read_object(path)
            if mask.shape != (size[1], size[0]):
                raise CgcError(
                    f"{path} is {mask.shape[1]}×{mask.shape[0]} px, but {files[0]} beside it is "
                    f"{size[0]}×{size[1]}; all masks of a photo must have one size."
                )
            yield mask

    return label_map_of_masks(masks(), len(files), size, place)


def _by_name(files: Sequence[Path], folder: Path) -> dict[str, Path]:
    """Return files by their names below the folder, without ending.

    Raises:
        CgcError: two differ in their ending only.
    """
    named: dict[str, Path] = {}
    for path in files:
        name = path.relative_to(folder).with_suffix("").as_posix()
        if name in named:
            raise CgcError(f"{named[name]} and {path} are masks of one name; take one of them out.")
        named[name] = path
    return named


def _check(placement: Placement, folder: Path) -> None:
    if placement.doubt:
        raise CgcError(f"{folder} {placement.doubt}; name a folder that holds one for each photo.")
