# SPDX-License-Identifier: GPL-3.0-or-later
"""Masks in JSON: Segment Anything's automatic generator's or LabelMe's of a photo, and COCO files.

A photo's own file is a list of masks, or an object with that list under `annotations`, as in the
data set SA-1B. A COCO file names its photos under `images` and has the masks of all of them under
`annotations`. In each mask `segmentation` is an object with run lengths, or a list of polygons.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import CgcError
from ...files import read_json
from .labelme import is_labelme, mask_of_shapes, things_of
from .maps import Findings, ForeignMap, Photo, label_map_of_masks
from .names import place_by_name
from .run_length import counts_of_text, mask_of_counts, mask_of_polygons

ENDING = ".json"
_LOOKED_AT = 20
"""Files that are read to find out whether any holds masks."""
_MOST_PIXELS = 1 << 30


@dataclass
class _Image:
    """A photo as a COCO file describes it."""

    name: str
    size: tuple[int, int] | None
    masks: list[Any] = field(default_factory=list)


def find_annotations(
    folder: Path, files: Sequence[Path], photos: Sequence[Photo]
) -> Findings | None:
    """Recognise a JSON file for each photo, or COCO files.

    Args:
        folder: the source.
        files: below it.
        photos: of the dataset.

    Returns:
        None where there are no masks in JSON, or none belongs to a photo.

    Raises:
        CgcError: a file is damaged, or several belong to one photo.
    """
    named = {
        path.relative_to(folder).with_suffix("").as_posix(): path
        for path in files
        if path.suffix.lower() == ENDING
    }
    placement = place_by_name(list(named), [photo.name for photo in photos])
    of_photos = [named[name] for name in placement.names.values()]
    others = [path for path in named.values() if path not in of_photos]
    if coco := [value for path in others[:_LOOKED_AT] if (value := _coco_of(path)) is not None]:
        return _find_in_coco(folder, coco, others, photos)
    values = (read_json(path) for path in of_photos[:_LOOKED_AT])
    if not any(_masks_of(value) is not None or is_labelme(value) for value in values):
        return None
    if placement.doubt:
        raise CgcError(f"{folder} {placement.doubt}; name a folder that holds one for each photo.")
    maps = []
    for photo in photos:
        if photo.stem in placement.names:
            path = named[placement.names[photo.stem]]
            maps.append(ForeignMap(photo, str(path), partial(_read_file, path, photo)))
    strangers = tuple(map(str, others))
    return Findings("masks in JSON, a file for each photo", placement.how, tuple(maps), strangers)


def _coco_of(path: Path) -> tuple[Path, Mapping[str, Any]] | None:
    """Return what a COCO file holds; None where it is none, even where it cannot be read."""
    try:
        value = read_json(path)
    except CgcError:
        return None
    if isinstance(value, dict) and all(
        isinstance(value.get(key), list) for key in ("images", "annotations")
    ):
        return path, value
    return None


def _find_in_coco(
    folder: Path,
    files: Sequence[tuple[Path, Mapping[str, Any]]],
    candidates: Sequence[Path],
    photos: Sequence[Photo],
) -> Findings | None:
    images: dict[str, _Image] = {}
    for path, value in files:
        by_id: dict[Any, _Image] = {}
        for number, record in enumerate(value["images"]):
            name = record.get("file_name") if isinstance(record, dict) else None
            if not isinstance(name, str) or not name:
                raise CgcError(
                    f"{path}: image {number} has no file_name; the file is damaged, export it "
                    "again."
                )
            name = PurePosixPath(name.replace("\\", "/").lstrip("/")).as_posix()
            by_id[_plain(record.get("id"))] = images.setdefault(name, _Image(name, _size(record)))
        for number, mask in enumerate(value["annotations"]):
            key = _plain(mask.get("image_id")) if isinstance(mask, dict) else None
            if key not in by_id:
                raise CgcError(
                    f"{path}: annotation {number} belongs to no image of the file; it is damaged, "
                    "export it again."
                )
            by_id[key].masks.append(mask)
    without_ending = {PurePosixPath(name).with_suffix("").as_posix(): name for name in images}
    placement = place_by_name(list(without_ending), [photo.name for photo in photos])
    if not placement.names:
        return None
    first = files[0][0]
    if placement.doubt:
        raise CgcError(f"{first} {placement.doubt}; leave one of them in the file.")
    maps, used = [], set()
    for photo in photos:
        if photo.stem in placement.names:
            image = images[without_ending[placement.names[photo.stem]]]
            used.add(image.name)
            place = f"{first}: {image.name}"
            size = image.size or _size_in_masks(image.masks) or photo.size
            read = partial(_label_map, image.masks, size, place)
            maps.append(ForeignMap(photo, place, read, size))
    read_files = {path for path, _ in files}
    strangers = (
        *(f"{first}: {name}" for name in images if name not in used),
        *(str(path) for path in candidates if path not in read_files),
    )
    return Findings("a COCO file", placement.how, tuple(maps), strangers)


def _masks_of(value: Any) -> list[Any] | None:
    """Return the masks in a photo's own file, None where it holds something else."""
    masks = value.get("annotations") if isinstance(value, dict) else value
    if not isinstance(masks, list):
        return None
    good = all(isinstance(mask, dict) and "segmentation" in mask for mask in masks)
    return masks if good else None


def _read_file(path: Path, photo: Photo) -> NDArray[np.uint16]:
    value = read_json(path)
    if is_labelme(value):
        size = _size_of_labelme(value) or photo.size
        photo.check_shape(size, str(path))
        things = things_of(value, str(path))
        return _flattened([partial(mask_of_shapes, shapes) for shapes in things], size, str(path))
    masks = _masks_of(value)
    if masks is None:
        raise CgcError(
            f"{path} holds no list of masks with a `segmentation` each; export it again, or take "
            "it out."
        )
    size = _size(value.get("image")) if isinstance(value, dict) else None
    size = size or _size_in_masks(masks) or photo.size
    photo.check_shape(size, str(path))
    return _label_map(masks, size, str(path))


def _label_map(
    masks: Sequence[Mapping[str, Any]], size: tuple[int, int], place: str
) -> NDArray[np.uint16]:
    with_shape = [mask for mask in masks if mask.get("segmentation")]
    if masks and not with_shape:
        raise CgcError(
            f"{place} has {len(masks)} objects but no shapes, only boxes; export it with "
            "segmentations."
        )

    shapes = [partial(_decode, mask["segmentation"]) for mask in with_shape]
    return _flattened(shapes, size, place)


def _flattened(
    masks: Sequence[Callable[[tuple[int, int]], NDArray[np.bool_]]],
    size: tuple[int, int],
    place: str,
) -> NDArray[np.uint16]:
    """Return masks as one label map; each is asked for itself when it is its turn."""

    def decoded() -> Iterator[NDArray[np.bool_]]:
        for number, mask in enumerate(masks):
            try:
                yield mask(size)
            except (ValueError, TypeError, KeyError, OverflowError) as error:
                raise CgcError(
                    f"{place}: mask {number} cannot be read: {error}; the file is damaged or of "
                    "another kind, export it again."
                ) from error

    if not masks:
        return np.zeros((size[1], size[0]), np.uint16)
    return label_map_of_masks(decoded(), len(masks), size, place)


def _decode(segmentation: Any, size: tuple[int, int]) -> NDArray[np.bool_]:
    """Return the mask (H, W) of one segmentation.

    Raises:
        ValueError: it is damaged, or of another size.
    """
    width, height = size
    if isinstance(segmentation, list):
        flat = not isinstance(segmentation[0], list)
        return mask_of_polygons([segmentation] if flat else segmentation, height, width)
    if not isinstance(segmentation, dict) or not {"size", "counts"} <= set(segmentation):
        raise ValueError("it is neither run lengths nor polygons")
    found = _size_of_run_lengths(segmentation)
    if found != size:
        raise ValueError(f"it is {found[0]}×{found[1]} px, but the others are {width}×{height}")
    counts = segmentation["counts"]
    if isinstance(counts, str):
        counts = counts_of_text(counts)
    return mask_of_counts(counts, height, width)


def _size_of_run_lengths(segmentation: Mapping[str, Any]) -> tuple[int, int]:
    height, width = segmentation["size"]
    good = all(type(side) is int and side > 0 for side in (height, width))
    if not good or height * width > _MOST_PIXELS:
        raise ValueError(f"{height!r} × {width!r} is no size of a photo")
    return width, height


def _size_in_masks(masks: Sequence[Mapping[str, Any]]) -> tuple[int, int] | None:
    for mask in masks:
        segmentation = mask.get("segmentation")
        if isinstance(segmentation, dict) and "size" in segmentation:
            try:
                return _size_of_run_lengths(segmentation)
            except (ValueError, TypeError):
                return None  # said with the mask's number when it is decoded
    return None


def _size(record: Any) -> tuple[int, int] | None:
    """Return the width and height that a record tells, px."""
    sides = [record.get(key) if isinstance(record, dict) else None for key in ("width", "height")]
    if all(type(side) is int and side > 0 for side in sides):
        width, height = (int(side) for side in sides if side)
        return (width, height) if width * height <= _MOST_PIXELS else None
    return None


def _size_of_labelme(value: Mapping[str, Any]) -> tuple[int, int] | None:
    return _size({"width": value.get("imageWidth"), "height": value.get("imageHeight")})


def _plain(identity: Any) -> Any:
    """Return an id that can be compared: some programs write one as text, the other as number."""
    return str(identity) if isinstance(identity, int | str) else None
