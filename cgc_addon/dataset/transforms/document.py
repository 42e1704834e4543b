# SPDX-License-Identifier: GPL-3.0-or-later
"""`transforms.json` of nerfstudio, instant-ngp and synthetic NeRF captures, as a COLMAP model.

The frame is that of the file: `applied_transform` tells only how cameras were moved since they were
solved, and nothing is moved back. Its cameras have OpenGL's axes, x right, y up, z back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import CgcError
from ...files import read_json
from ..colmap.model import ColmapModel
from ..colmap.records import LARGEST_COORDINATE, ColmapCamera, ColmapImage
from ..folder import IMAGES
from ..names import PHOTO_ENDINGS, check_stems_differ, name_below
from ..photo_names import FileNames
from ..photo_size import photo_size
from .frame_by_colors import SmallPhoto
from .lens import camera_of
from .points import Points, read_points

WHOLE = "transforms.json"
TRAINING = "transforms_train.json"
FURTHER = ("transforms_val.json", "transforms_test.json")
"""Of captures that are in parts; those that exist are read along with `TRAINING`."""
TRANSFORMS_FILES = (WHOLE, TRAINING, *FURTHER)
_ENDINGS = (".png", ".jpg", ".jpeg", *sorted(PHOTO_ENDINGS - {".png", ".jpg", ".jpeg"}))
_RIGID_TOLERANCE = 1e-2
"""Largest difference of a rotation's stretches along its axes, as a share."""


@dataclass(frozen=True, eq=False)
class Transforms:
    """What a transforms.json says, and where its photos are."""

    file: Path
    """The JSON; of a capture in parts that of its training photos."""
    photos: Path
    """Folder that names of images are paths below: `images/` if all are there, else the dataset."""
    model: ColmapModel


@dataclass(frozen=True)
class _Frame:
    place: str
    """File and number, how errors begin."""
    values: Mapping[str, Any]
    common: Mapping[str, Any]
    name: str
    """Path of the photo below the dataset."""
    exists: bool


def find_transforms(folder: Path) -> Path | None:
    """Return the transforms.json of a dataset, or that of its training photos, if there is one."""
    return next((folder / name for name in (WHOLE, TRAINING) if (folder / name).is_file()), None)


def read_transforms(
    file: Path, *, points: bool = True, small_photo: SmallPhoto | None = None
) -> Transforms:
    """Read cameras, poses and points.

    Frames whose photo is missing are left out, unless all are.

    Args:
        file: the one that `find_transforms` returned.
        points: whether points are wanted; without, there are none, and that is faster.
        small_photo: reads a photo, where they may be looked at to tell in which frame points are.

    Raises:
        CgcError: a file is missing, damaged, or says something that cannot be.
    """
    folder = file.parent
    parts = {file: _content(file)}
    if file.name == TRAINING:
        further = [folder / name for name in FURTHER if (folder / name).is_file()]
        parts |= {path: _content(path) for path in further}
    frames = list(_frames(folder, parts))
    found = [frame for frame in frames if frame.exists]
    warnings = []
    if found and len(found) < len(frames):
        missing = next(frame for frame in frames if not frame.exists)
        warnings.append(
            f"{file}: {len(frames) - len(found)} of {len(frames)} photos are missing, the first is "
            f"{missing.name}; they are left out."
        )
    if len(parts) > 1:
        others = ", ".join(path.name for path in list(parts)[1:])
        warnings.append(
            f"{folder}: photos of {others} are taken along with those of {file.name}; move "
            "these files away to leave them out."
        )
    if masked := sum(bool(frame.values.get("mask_path")) for frame in frames):
        warnings.append(
            f"{file}: the masks of {masked} frames (mask_path) are not used; label maps are looked "
            "for in the folder masks."
        )
    kept = found or frames
    below_images = all(frame.name.startswith(f"{IMAGES}/") for frame in kept)
    images, cameras = _images(folder, kept, len(IMAGES) + 1 if below_images else 0)
    cloud = Points(np.zeros((0, 3)), np.zeros((0, 3), np.uint8), ())
    if points:
        photos = folder / IMAGES if below_images else folder
        cloud = read_points(file, parts[file], images, cameras, photos, small_photo)
    model = ColmapModel(
        cameras=cameras,
        images=tuple(sorted(images, key=lambda image: image.name)),
        points=cloud.positions,
        point_colors=cloud.colors,
        warnings=(*warnings, *cloud.warnings),
    )
    return Transforms(file, folder / IMAGES if below_images else folder, model)


def _content(file: Path) -> Mapping[str, Any]:
    content = read_json(file)
    frames = content.get("frames") if isinstance(content, dict) else None
    if not isinstance(frames, list) or not frames:
        raise CgcError(f'{file} must have a list "frames" of one or more cameras; export it again.')
    return content


def _frames(folder: Path, parts: Mapping[Path, Mapping[str, Any]]) -> Iterator[_Frame]:
    """Yield the frames of all files; a photo that an earlier file has is that one's."""
    known: set[str] = set()
    on_disk = FileNames(folder)
    for file, content in parts.items():
        names = set()
        for number, values in enumerate(content["frames"], start=1):
            place = f"{file}: frame {number}"
            path = values.get("file_path") if isinstance(values, dict) else None
            if not isinstance(path, str) or not path:
                raise CgcError(f'{place} must be an object with a "file_path"; correct the file.')
            name, exists = _photo(on_disk, place, path)
            if name not in known:
                yield _Frame(f"{place} ({name})", values, content, name, exists)
            names.add(name)
        known |= names


def _photo(files: FileNames, place: str, path: str) -> tuple[str, bool]:
    """Return the path of a photo below the dataset, and whether it is there.

    Paths of the machine that wrote the file are cut until they lead to a photo of the dataset.
    """
    parts = PurePosixPath(name_below(place, path)).parts
    candidates = [
        candidate
        for start in range(len(parts))
        for candidate in _with_endings("/".join(parts[start:]))
    ]
    for candidate in candidates:
        if (files.folder / candidate).is_file():
            return candidate, True
    for candidate in candidates:
        if (alike := files.find_alike(candidate)) is not None:
            return alike, True
    return candidates[0], False


def _with_endings(name: str) -> list[str]:
    if PurePosixPath(name).suffix.lower() in PHOTO_ENDINGS:
        return [name]
    return [name + ending for ending in (*_ENDINGS, *(ending.upper() for ending in _ENDINGS))]


def _images(
    folder: Path, frames: list[_Frame], cut: int
) -> tuple[list[ColmapImage], dict[int, ColmapCamera]]:
    """Return images, whose names lose `cut` letters, and the cameras that they share, by id."""
    ids: dict[ColmapCamera, int] = {}
    images = []
    for frame in frames:
        path = folder / frame.name

        def size(frame: _Frame = frame, path: Path = path) -> tuple[int, int] | None:
            if not frame.exists:
                raise CgcError(f"{frame.place}: {path} is missing, as are all photos; add them.")
            try:
                return photo_size(path)
            except OSError:
                return None

        camera = camera_of(frame.place, frame.values, frame.common, size)
        number = ids.setdefault(camera, len(ids) + 1)
        pose = _world_to_camera(frame.place, frame.values.get("transform_matrix"))
        images.append(ColmapImage(frame.name[cut:], number, pose))
    check_stems_differ(str(folder), (image.name for image in images))
    return images, {number: camera for camera, number in ids.items()}


def _world_to_camera(place: str, rows: Any) -> NDArray[np.float64]:
    """Return the pose (4, 4) in COLMAP's axes of a camera-to-world matrix in OpenGL's."""
    try:
        matrix = np.array(rows, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        matrix = np.empty(0)
    if matrix.shape not in ((4, 4), (3, 4)) or not np.all(np.abs(matrix) < LARGEST_COORDINATE):
        raise CgcError(
            f'{place}: "transform_matrix" must be four rows of four finite numbers; '
            "export the cameras again."
        )
    left, stretches, right = np.linalg.svd(matrix[:3, :3])
    rotation = left @ right  # the nearest one: exporters round, and cameras may be scaled
    uneven = stretches[0] - stretches[2] > _RIGID_TOLERANCE * stretches[0]
    if uneven or stretches[2] <= 0.0 or np.linalg.det(rotation) < 0.0:
        raise CgcError(
            f'{place}: "transform_matrix" is not a rotation and a place (it mirrors or shears); '
            "export the cameras again."
        )
    rotation = rotation * (1.0, -1.0, -1.0)  # the columns are the camera's axes in the world
    pose = np.eye(4)
    pose[:3, :3] = rotation.T
    pose[:3, 3] = -rotation.T @ matrix[:3, 3]
    return pose
