# SPDX-License-Identifier: GPL-3.0-or-later
"""The point cloud of a transforms.json, in the frame of its cameras."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import CgcError
from ...ply_table import read_header, read_table
from ..colmap.records import LARGEST_COORDINATE, ColmapCamera, ColmapImage
from ..names import checked_name
from .frame_by_colors import SmallPhoto, fits_better

USUAL_FILE = "sparse_pc.ply"
"""What nerfstudio calls it; read, too, where the JSON does not name one."""
_POSITION, _COLOR = ("x", "y", "z"), ("red", "green", "blue")
_GREY = 128
_SAMPLES, _VIEWS = 2000, 60
"""Points and cameras at most that are asked in which frame the points are."""
_SEEN = 0.95
"""Reconstructed points are seen by two cameras or more, nearly all of them."""
_CLEARLY = 0.03


@dataclass(frozen=True, eq=False)
class Points:
    """Points and what is to be said of them."""

    positions: NDArray[np.float64]
    """(P, 3) finite, scene units."""
    colors: NDArray[np.uint8]
    """(P, 3) sRGB."""
    warnings: tuple[str, ...]


def read_points(
    json: Path,
    content: Mapping[str, Any],
    images: Sequence[ColmapImage],
    cameras: Mapping[int, ColmapCamera],
    photos: Path,
    small_photo: SmallPhoto | None,
) -> Points:
    """Read the point cloud that a transforms.json names, or the usual one beside it.

    Args:
        json: the file.
        content: of it.
        images: its frames.
        cameras: theirs, by id.
        photos: folder that names of images are paths below.
        small_photo: reads a photo, where they may be looked at.

    Raises:
        CgcError: the point cloud is damaged, or a transform cannot be one.
    """
    nothing = Points(np.zeros((0, 3)), np.zeros((0, 3), np.uint8), ())
    named = content.get("ply_file_path")
    if named is not None and not isinstance(named, str):
        raise CgcError(f'{json}: "ply_file_path" must be a path, but is {str(named)[:40]}.')
    path = json.parent / (checked_name(f"{json}: ply_file_path", named) if named else USUAL_FILE)
    if not path.is_file():
        missing = (f"{path}, which {json.name} names, is missing.",) if named else ()
        return Points(nothing.positions, nothing.colors, missing)
    positions, colors = _read_ply(path)
    usable = np.all(np.abs(positions) < LARGEST_COORDINATE, axis=1)  # False for NaN too
    warnings = []
    if not usable.all():
        warnings.append(
            f"{path}: {len(positions) - int(usable.sum())} of {len(positions)} points have "
            "coordinates that are not finite numbers; they are left out."
        )
    positions, colors = positions[usable], colors[usable]
    applied = applied_matrix(json, content)
    if applied is not None and len(positions):
        turned = positions @ applied[:3, :3].T + applied[:3, 3]
        before, after = (_share_seen(points, images, cameras) for points in (positions, turned))
        told_by_cameras = before < _SEEN and after > before + _CLEARLY
        # Where cameras look tells nothing of a thing in their middle; its colours do.
        in_doubt = after >= _SEEN and before >= _SEEN
        if told_by_cameras or (
            in_doubt
            and small_photo is not None
            and fits_better(positions, turned, colors, images, cameras, photos, small_photo)
        ):
            # nerfstudio before 1.0.1 left the points as COLMAP had them, and turned them itself.
            positions = turned
            warnings.append(
                f"{path} is not in the frame of the cameras of {json.name}; its applied_transform "
                "brings it there, and is applied."
            )
    return Points(positions, colors, tuple(warnings))


def applied_matrix(json: Path, content: Mapping[str, Any]) -> NDArray[np.float64] | None:
    """Return the matrix (4, 4) by which cameras were moved since they were solved, if any.

    Raises:
        CgcError: `applied_transform` or `applied_scale` are not what they should be.
    """
    transform, scale = content.get("applied_transform"), content.get("applied_scale", 1.0)
    matrix = np.eye(4)
    try:
        if transform is not None:
            rows = np.array(transform, dtype=np.float64)
            if rows.shape not in ((3, 4), (4, 4)):
                raise ValueError
            matrix[:3] = rows[:3]
        matrix[:3] *= float(scale)
    except (TypeError, ValueError):
        matrix[:] = np.nan
    if not (np.isfinite(matrix).all() and abs(np.linalg.det(matrix)) > 1e-12):
        raise CgcError(
            f'{json}: "applied_transform" must be three rows of four numbers, and "applied_scale" '
            "a number; correct or remove them."
        )
    return None if np.allclose(matrix, np.eye(4)) else matrix


def _read_ply(path: Path) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
    """Return positions (P, 3) as stored and colours (P, 3), grey where there are none."""
    try:
        header = read_header(path)
        vertex = header.element("vertex")
        kinds = {} if vertex is None else {item.name: item for item in vertex.properties}
        if vertex is None or vertex.has_lists or not set(_POSITION) <= set(kinds):
            raise CgcError(f"{path} is no point cloud: it has no vertices with x, y and z.")
        if vertex.count == 0:
            return np.zeros((0, 3)), np.zeros((0, 3), np.uint8)
        table = read_table(header, vertex)
    except OSError as error:
        raise CgcError(f"{path} could not be read: {error.strerror or error}.") from error
    positions = np.stack([table[name] for name in _POSITION], axis=1).astype(np.float64)
    colors = np.full((vertex.count, 3), _GREY, np.uint8)
    if set(_COLOR) <= set(kinds):
        for channel, name in enumerate(_COLOR):
            scale = 255.0 if kinds[name].type.startswith("f") else 1.0
            values = np.nan_to_num(table[name].astype(np.float64) * scale)
            colors[:, channel] = np.clip(np.round(values), 0, 255).astype(np.uint8)
    return positions, colors


def _share_seen(
    points: NDArray[np.float64],
    images: Sequence[ColmapImage],
    cameras: Mapping[int, ColmapCamera],
) -> float:
    """Return the share of points that two cameras or more have in their photo, lenses ideal."""
    points = points[:: max(1, len(points) // _SAMPLES)]
    counts = np.zeros(len(points), np.int64)
    for image in images[:: max(1, len(images) // _VIEWS)]:
        camera = cameras[image.camera_id]
        if camera.kind.is_panorama:
            return 1.0
        seen = points @ image.world_to_camera[:3, :3].T + image.world_to_camera[:3, 3]
        center = (camera.value("cx"), camera.value("cy"))
        with np.errstate(divide="ignore", invalid="ignore"):
            pixels = seen[:, :2] / seen[:, 2:] * camera.focal_lengths + center
        inside = np.all((pixels >= 0.0) & (pixels <= (camera.width, camera.height)), axis=1)
        counts += inside & (seen[:, 2] > 0.0)
    return float(np.mean(counts >= min(2, len(images))))
