# SPDX-License-Identifier: GPL-3.0-or-later
"""Which files on disk belong to each posed photo, and whether their sizes fit; headers only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from ..errors import CgcError
from .colmap.records import ColmapCamera, ColmapImage
from .folder import LABEL_FOLDERS, PARTS, TRUTH, DatasetFolder
from .image_files import is_shown_turned, read_header
from .label_maps import HOW_TO_IMPORT, check_folder, check_label_map, match_label_maps
from .names import PHOTO_ENDINGS, first_of
from .photo_names import FileNames
from .resize import same_shape


@dataclass(frozen=True)
class PhotoFiles:
    """Where the pixels of one view come from."""

    photo: Path
    camera: ColmapCamera
    """Of the photo as it is on disk, distortion included, at the photo's size."""
    upright: bool = False
    """Whether the photo must be turned as EXIF says before `camera` fits."""
    labels: Path | None = None
    parts: Path | None = None
    """A finer label map, of the parts of what `labels` has whole."""
    truth: Path | None = None
    answers: Path | None = None
    """Everything that the mask model answered, where it made `labels`; see `mask_answers`."""


@dataclass(frozen=True)
class FoundPhotos:
    """The images of a model whose photos are there, and these."""

    images: tuple[ColmapImage, ...]
    """In the model's order."""
    files: tuple[PhotoFiles, ...]
    """Of the images, in the same order."""
    warnings: tuple[str, ...]


def find_photos(
    folder: Path,
    images: Sequence[ColmapImage],
    cameras: Mapping[int, ColmapCamera],
    *,
    count_others: bool = True,
) -> FoundPhotos:
    """Find the photo of each image and fit its camera to the photo's size.

    Images whose photo is missing are left out, unless most are.

    Args:
        folder: the photos'.
        images: of the model.
        cameras: of the model, by id.
        count_others: say how many photos of the folder have no pose.

    Raises:
        CgcError: most photos are missing, or one is no image, or not of its camera's shape.
    """
    wanted, warnings = len(images), []
    images, missing = _present(folder, images)
    if missing:
        warnings.append(
            f"{folder}: {len(missing)} of the {wanted} photos of the model are missing and left "
            f"out: {first_of(missing)}{_likely(folder, missing[0])}."
        )
    files, scaled = [], []
    for image in images:
        path = folder / image.name
        header, camera = read_header(path), cameras[image.camera_id]
        size, upright = (header.width, header.height), False
        if size != (camera.width, camera.height):
            upright = _must_be_turned(path, size, camera)
            size = (header.height, header.width) if upright else size
            if not same_shape(size, (camera.width, camera.height)):
                raise CgcError(
                    f"{path} is {size[0]}×{size[1]} px, but its camera {image.camera_id} in the "
                    f"model is {camera.width}×{camera.height}; put back the photos that the "
                    "cameras were solved with, or solve again."
                )
            if size != (camera.width, camera.height):
                camera = camera.resized(*size)
                scaled.append(image.name)
        files.append(PhotoFiles(path, camera, upright))
    if scaled:
        warnings.append(
            f"{folder}: {len(scaled)} of {len(images)} photos are not of their camera's size, the "
            f"first is {scaled[0]}; focal lengths and principal points are scaled to fit."
        )
    unposed = 0
    if count_others:
        unposed = _count_photos(folder) - sum(_is_photo(Path(image.name)) for image in images)
    if unposed > 0:
        warnings.append(f"{folder}: {unposed} photos have no pose in the model and are left out.")
    return FoundPhotos(tuple(images), tuple(files), tuple(warnings))


def add_label_maps(
    dataset: Path, images: Sequence[ColmapImage], files: Sequence[PhotoFiles]
) -> tuple[list[PhotoFiles], list[str]]:
    """Find the label map and the ground truth of each photo, where there are any.

    Args:
        dataset: folder that may hold `masks/` or its like, `masks_parts/`, and `gt/`.
        images: of the model.
        files: of the images, in the same order.

    Returns:
        The files with label maps, and warnings.

    Raises:
        CgcError: a folder cannot be read, a label map has colours, is no PNG, or is not of its
            photo's shape, or none of `masks/` is called like a photo.
    """
    completed, warnings = list(files), []
    place = DatasetFolder(dataset)
    labels = place.label_folder()
    for name in (*(() if labels else LABEL_FOLDERS), PARTS, TRUTH):
        check_folder(dataset / name)
    folders = {"labels": labels, "parts": place.parts, "truth": place.truth}
    for kind, folder in folders.items():
        if folder is None or not folder.is_dir():
            continue
        paths, strangers = match_label_maps(folder, [image.name for image in images])
        for index, path in enumerate(paths):
            if path is not None:
                camera = completed[index].camera
                check_label_map(path, (camera.width, camera.height))
                completed[index] = replace(completed[index], **{kind: path})
        if kind == "labels" and strangers and not any(paths):
            first = PurePosixPath(images[0].name)
            raise CgcError(
                f"{folder} holds {strangers} PNG files, but none is called like a photo, which the "
                f"label map of {first} is to be: {first.with_suffix('.png')}; rename them, or "
                f"{HOW_TO_IMPORT}."
            )
        if kind == "labels" and None in paths:
            warnings.append(
                f"{folder}: {paths.count(None)} of {len(paths)} views have no label map; "
                "they are trained without."
            )
        if strangers:
            warnings.append(f"{folder}: {strangers} label maps belong to no view; they are unused.")
    for index, image in enumerate(images):
        answers = place.answers / f"{image.stem}.npz"
        if completed[index].labels is not None and answers.is_file():
            completed[index] = replace(completed[index], answers=answers)
    return completed, warnings


def _present(folder: Path, images: Sequence[ColmapImage]) -> tuple[list[ColmapImage], list[str]]:
    """Return the images whose photos are there, and the names of the others.

    Raises:
        CgcError: most are missing.
    """
    first = images[0].name
    if not folder.is_dir():
        raise CgcError(
            f"{folder} is missing; put the photos of the model there{_likely(folder, first)}."
        )
    present = [image for image in images if (folder / image.name).is_file()]
    missing = [image.name for image in images if not (folder / image.name).is_file()]
    if len(missing) > len(present):
        raise CgcError(
            f"{folder} lacks {len(missing)} of the {len(images)} photos of the model, the first is "
            f"{missing[0]}{_likely(folder, missing[0])}; copy them there, or solve the cameras "
            "again without them."
        )
    return present, missing


def _likely(folder: Path, name: str) -> str:
    """Return words on the file that a missing photo probably is, in the folder or beside it."""
    for place in (folder, folder.parent):
        if (place / name).is_symlink():
            return f" ({name} is a link to nothing)"
        if (likely := FileNames(place).find_likely(name)) is not None:
            return f" ({name} may be {place / likely})"
    return ""


def _must_be_turned(path: Path, size: tuple[int, int], camera: ColmapCamera) -> bool:
    """Say whether the cameras were solved on photos that had been turned as EXIF says."""
    stored_fits = same_shape(size, (camera.width, camera.height))
    turned_fits = same_shape(size, (camera.height, camera.width))
    return turned_fits and not stored_fits and is_shown_turned(path)


def _count_photos(folder: Path) -> int:
    return sum(_is_photo(path) and not path.name.startswith(".") for path in folder.rglob("*"))


def _is_photo(path: Path) -> bool:
    return path.suffix.lower() in PHOTO_ENDINGS
