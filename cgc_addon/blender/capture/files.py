# SPDX-License-Identifier: GPL-3.0-or-later
"""What the files of a capture say, read as a whole before anything in Blender is touched.

Blender's cameras have no lens distortion. Where COLMAP's do, the photos that the verb `undistort`
wrote into the dataset are taken; without them the cameras are those of a lens that is ideal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...dataset.cameras_json import read_cameras_json
from ...dataset.colmap.model import ColmapModel
from ...dataset.colmap.places import ENDINGS, MODEL_FILES
from ...dataset.colmap.records import ColmapCamera, ColmapImage
from ...dataset.framing import (
    describe_outlying,
    outlying_views,
    scene_extent,
    scene_up,
    usual_views,
)
from ...dataset.near_origin import relative_views
from ...dataset.pinhole import approximate_pinhole, is_pinhole
from ...dataset.scene import PinholeCamera, View
from ...dataset.solved import Solved, dataset_at, read_solved
from ...dataset.transforms.document import TRANSFORMS_FILES
from ...errors import CgcError

UNDISTORTED = "undistorted"
"""Folder in a dataset: `images/` and `cameras.json` as the verb `undistort` writes them."""
_SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG", b"II*\0", b"MM\0*", b"BM", b"RIFF")
"""First bytes of JPEG, PNG, TIFF in two orders, BMP and WebP files."""
_SIMPLE_DISTORTIONS = frozenset({"SIMPLE_RADIAL", "RADIAL", "OPENCV"})


@dataclass(frozen=True, eq=False)
class Photo:
    """A photo with its camera."""

    view: View
    file: Path | None
    """What to show behind the scene; None where the file is missing or no image."""


@dataclass(frozen=True, eq=False)
class CaptureFiles:
    """A capture in COLMAP's frame."""

    dataset: Path
    """Absolute folder that it is known by."""
    photos: tuple[Photo, ...]
    """In name order, one at least."""
    points: NDArray[np.float32]
    """(P, 3) scene units."""
    point_colors: NDArray[np.uint8]
    """(P, 3) sRGB."""
    up: NDArray[np.float64]
    """(3,) unit vector."""
    extent: float
    """Radius around the mean camera centre that holds all cameras but outlying ones, scene
    units."""
    origin: NDArray[np.float64]
    """(3,) what all places are relative to, in the frame of the files, scene units."""
    reach: float
    """Radius around it that holds cameras and nearly all points, scene units."""
    warnings: tuple[str, ...]
    """What the user should know, a sentence each."""


def read_capture(place: Path, origin: NDArray[np.float64] | None = None) -> CaptureFiles:
    """Read cameras, poses and points, and look for the photos.

    Args:
        place: a dataset folder, the folder of a COLMAP model, one of the model's files, or a
            transforms.json.
        origin: (3,) what places are made relative to, in the frame of the files, scene units; None
            chooses.

    Raises:
        CgcError: there is no model, or it cannot be used.
    """
    dataset = dataset_of(place)
    solved = read_solved(dataset, origin)
    model = solved.model
    points, warnings = model.points.astype(np.float32), list(model.warnings)
    if place.name in TRANSFORMS_FILES and solved.place.is_dir():
        warnings.append(f"{dataset} has a COLMAP model, too; that is read, not {place.name}.")
    distorted = distorted_cameras(model)
    undistorted, problem = _undistorted_views(dataset, solved) if distorted else ((), None)
    if undistorted:  # where photos have another name if they have become PNG
        photos, names = dataset / UNDISTORTED / "images", [view.name for _, view in undistorted]
        views = tuple(replace(view, name=image.name) for image, view in undistorted)
    else:
        views = _views(solved.place, model)
        photos, names = solved.photos, [view.name for view in views]
        if distorted:
            warnings.append(problem or _distortion_ignored(dataset, distorted))
    files, photo_warnings = _photo_files(photos, names)
    if outlying := outlying_views(views, points):
        warnings.append(describe_outlying(solved.place, views, outlying))
    usual = usual_views(views, points)
    extent = scene_extent(usual, points)
    return CaptureFiles(
        dataset=dataset,
        photos=tuple(Photo(view, file) for view, file in zip(views, files, strict=True)),
        points=points,
        point_colors=model.point_colors,
        up=scene_up(usual),
        extent=extent,
        origin=solved.origin,
        reach=max(extent, _reach(usual, points)),
        warnings=(*warnings, *photo_warnings),
    )


def dataset_of(place: Path) -> Path:
    """Return the dataset folder that a folder, a file of a COLMAP model or a JSON belongs to.

    Raises:
        CgcError: `place` is a file of another kind, or is not there.
    """
    place = place.absolute()
    if not place.is_dir():
        if not place.is_file():
            raise CgcError(f"{place} is not there; choose a folder with a COLMAP model.")
        of_colmap = place.suffix in ENDINGS and place.stem in MODEL_FILES
        if not of_colmap and place.name not in TRANSFORMS_FILES:
            raise CgcError(
                f"{place} is no file of a COLMAP model; choose cameras, images or points3D "
                "(.bin or .txt), a transforms.json, or the folder that holds images/ and sparse/."
            )
        place = place.parent
    return dataset_at(place)


def distorted_cameras(model: ColmapModel) -> list[ColmapCamera]:
    """Return the cameras of a model's photos that no pinhole camera equals."""
    used = {image.camera_id: model.cameras[image.camera_id] for image in model.images}
    return [camera for camera in used.values() if not is_pinhole(camera)]


def _undistorted_views(
    dataset: Path, solved: Solved
) -> tuple[tuple[tuple[ColmapImage, View], ...], str | None]:
    """Return images and views of the undistorted photos; none and why, if there is no use for them.

    Images without a photo that could have been undistorted are left out.
    """
    file = dataset / UNDISTORTED / "cameras.json"
    if not file.is_file():
        return (), None
    again = "Lens distortion is ignored; run Undistort Photos."
    try:
        views = relative_views(read_cameras_json(file), solved.origin)
    except CgcError as error:
        return (), f"{error} {again}"
    found, pairs = {view.stem: view for view in views}, []
    for image in solved.model.images:
        view = found.get(image.stem)
        if view is None and not (solved.photos / image.name).is_file():
            continue
        if view is None or not np.allclose(view.world_to_camera, image.world_to_camera, atol=1e-6):
            return (), f"{file} is of another model: {image.name} differs. {again}"
        pairs.append((image, view))
    return tuple(pairs), None


def _views(place: Path, model: ColmapModel) -> tuple[View, ...]:
    """Return the model's views, with lenses that are ideal."""
    cameras: dict[int, PinholeCamera] = {}
    for number in {image.camera_id for image in model.images}:
        try:
            cameras[number] = approximate_pinhole(model.cameras[number])
        except CgcError as error:
            raise CgcError(f"{place}: camera {number}: {error}") from error
    return tuple(
        View(image.name, cameras[image.camera_id], image.world_to_camera) for image in model.images
    )


def _distortion_ignored(dataset: Path, distorted: Sequence[ColmapCamera]) -> str:
    bends = [_bend_at_corner(camera) for camera in distorted]
    known = [bend for bend in bends if bend is not None]
    amount = f", up to {max(known):.3g} px in the corners" if len(known) == len(bends) else ""
    return (
        f"{dataset}: lens distortion is ignored{amount}; "
        "run Undistort Photos to have cameras that fit exactly."
    )


def _bend_at_corner(camera: ColmapCamera) -> float | None:
    """Return by how many pixels the lens moves what an ideal one shows in a corner, at most.

    None for camera models where that takes more than a polynomial.
    """
    if camera.model not in _SIMPLE_DISTORTIONS:
        return None
    values = dict(zip(camera.kind.parameters, camera.params, strict=True))
    k1, k2 = values.get("k1", values.get("k", 0.0)), values.get("k2", 0.0)
    p1, p2 = values.get("p1", 0.0), values.get("p2", 0.0)
    focal = np.array(camera.focal_lengths)
    corners = np.array([(x, y) for x in (0, camera.width) for y in (0, camera.height)])
    x, y = ((corners - (values["cx"], values["cy"])) / focal).T
    square = x * x + y * y
    radial = k1 * square + k2 * square**2
    moved = np.array(
        [
            x * radial + 2 * p1 * x * y + p2 * (square + 2 * x * x),
            y * radial + 2 * p2 * x * y + p1 * (square + 2 * y * y),
        ]
    )
    return float(np.linalg.norm(moved * focal[:, None], axis=0).max())


def _photo_files(images: Path, names: Sequence[str]) -> tuple[list[Path | None], list[str]]:
    """Return the file of each photo, None where it cannot be shown, and what is to be said of it.

    Only the first bytes are read: Blender decodes a photo when it is first drawn.
    """
    if not images.is_dir():
        return [None] * len(names), [f"{images} is missing; cameras are imported without photos."]
    files: list[Path | None] = []
    missing, unreadable = [], []
    for name in names:
        path = images / name
        kind = missing if not path.is_file() else None if _is_image(path) else unreadable
        if kind is not None:
            kind.append(name)
        files.append(path if kind is None else None)
    warnings = []
    for kind, reason in ((missing, "missing"), (unreadable, "no images that can be read")):
        if kind:
            warnings.append(
                f"{images}: {len(kind)} of {len(names)} photos are {reason}, the first is "
                f"{kind[0]}; their cameras show no photo."
            )
    return files, warnings


def _is_image(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(4).startswith(_SIGNATURES)
    except OSError:
        return False


def _reach(views: Sequence[View], points: NDArray[np.float32]) -> float:
    """Return the distance of the farthest points from the mean camera, without the farthest 1 %."""
    if not len(points):
        return 0.0
    middle = np.mean([view.center() for view in views], axis=0)
    return float(np.percentile(np.linalg.norm(points - middle, axis=1), 99.0))
