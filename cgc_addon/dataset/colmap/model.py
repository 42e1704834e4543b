# SPDX-License-Identifier: GPL-3.0-or-later
"""A COLMAP model on disk becomes cameras, poses and points, all of them checked.

The three classic files `cameras`, `images` and `points3D`, binary or text, hold all that is needed;
models with rigs and frames (COLMAP 4) carry the same poses in them. They are read here and not by
pycolmap, whose readers hang or allocate without limit on damaged counts, cannot name the damaged
place, and refuse models whose tracks point to images that were taken out. NumPy alone: Blender,
which has no pycolmap, reads models too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...errors import CgcError
from ..names import check_stems_differ
from . import binary as colmap_binary
from . import text as colmap_text
from .places import MODEL_FILES, ending_of_model
from .records import LARGEST_COORDINATE, ColmapCamera, ColmapImage


@dataclass(frozen=True, eq=False)
class ColmapModel:
    """A whole model in the frame that COLMAP gave it."""

    cameras: Mapping[int, ColmapCamera]
    images: tuple[ColmapImage, ...]
    """In name order."""
    points: NDArray[np.float64]
    """(P, 3) finite, scene units."""
    point_colors: NDArray[np.uint8]
    """(P, 3) sRGB."""
    warnings: tuple[str, ...]


def read_cameras(folder: Path) -> Mapping[int, ColmapCamera]:
    """Read the cameras of a model, by id, and nothing else.

    Args:
        folder: the one that `find_model` returned.

    Raises:
        CgcError: the file is damaged, or says something that cannot be.
        OSError: it cannot be read.
    """
    ending = ending_of_model(folder)
    reader = colmap_binary if ending == ".bin" else colmap_text
    return reader.read_cameras(folder / f"{MODEL_FILES[0]}{ending}")


def read_images(folder: Path, encoding: str = "utf-8") -> list[ColmapImage]:
    """Read the images of a model, in the order of the file, and nothing else.

    Args:
        folder: the one that `find_model` returned.
        encoding: of their names.

    Raises:
        NotUnicodeError: names are in another encoding.
        CgcError: the file is damaged, or says something that cannot be.
        OSError: it cannot be read.
    """
    ending = ending_of_model(folder)
    reader = colmap_binary if ending == ".bin" else colmap_text
    return reader.read_images(folder / f"{MODEL_FILES[1]}{ending}", encoding)


def read_model(folder: Path, encoding: str = "utf-8") -> ColmapModel:
    """Read the three files of a model.

    Args:
        folder: the one that `find_model` returned.
        encoding: of the names of images.

    Raises:
        NotUnicodeError: names are in another encoding.
        CgcError: a file is missing, unreadable, damaged, or says something that cannot be.
    """
    ending = ending_of_model(folder)
    if ending is None:
        raise CgcError(f"{folder} does not hold cameras, images and points3D of a COLMAP model.")
    reader = colmap_binary if ending == ".bin" else colmap_text
    cameras_file, images_file, points_file = (folder / (name + ending) for name in MODEL_FILES)
    try:
        cameras = reader.read_cameras(cameras_file)
        images = reader.read_images(images_file, encoding)
        points, colors = reader.read_points(points_file)
    except OSError as error:
        raise CgcError(
            f"{error.filename or folder} could not be read: {error.strerror or error}; "
            "check the permissions of that file."
        ) from error
    _check_images(images_file, images, cameras)
    usable = np.all(np.abs(points) < LARGEST_COORDINATE, axis=1)  # False for NaN too
    warnings = []
    if len(points) > usable.sum():
        warnings.append(
            f"{points_file}: {len(points) - int(usable.sum())} of {len(points)} points have "
            "coordinates that are not finite numbers; they are left out."
        )
    return ColmapModel(
        cameras=cameras,
        images=tuple(sorted(images, key=lambda image: image.name)),
        points=points[usable],
        point_colors=colors[usable],
        warnings=tuple(warnings),
    )


def _check_images(
    file: Path, images: list[ColmapImage], cameras: Mapping[int, ColmapCamera]
) -> None:
    if not images:
        raise CgcError(f"{file} holds no image with a pose; solve the cameras first.")
    for image in images:
        if image.camera_id not in cameras:
            raise CgcError(
                f"{file}: image {image.name} uses camera {image.camera_id}, which the cameras file "
                "does not have; the files are not of one model, export the model again."
            )
    check_stems_differ(str(file), (image.name for image in images))
