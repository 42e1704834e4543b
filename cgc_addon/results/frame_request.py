# SPDX-License-Identifier: GPL-3.0-or-later
"""What one frame of a scene of splats shows: the file that the verb `draw` reads.

It is small, since the Gaussians are files of their own, named in it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..dataset.scene import PinholeCamera, View
from ..errors import CgcError
from ..files import read_json, write_json
from .mesh_layer import MeshFile

VERSION = 1
COMBINED, DEPTH, POSITION, INDEX, CRYPTOMATTE = (
    "combined",
    "depth",
    "position",
    "index",
    "cryptomatte",
)
PASSES = (COMBINED, DEPTH, POSITION, INDEX, CRYPTOMATTE)
_T = TypeVar("_T")


@dataclass(frozen=True, eq=False)
class FramePart:
    """Some Gaussians, once in the scene."""

    file: Path
    """As `splats.gaussian_file` writes it; the same name stands for the same Gaussians."""
    matrix: NDArray[np.float64]
    """(4, 4) from its space to the frame that is drawn in."""
    name: str
    """Of the object, for Cryptomatte."""
    index: int | None
    """What the pass "index" shows, 0..2³¹ − 1; None: the segment of each Gaussian."""
    holdout: bool = False
    """Whether it cuts a hole into the picture."""


@dataclass(frozen=True, eq=False)
class FrameRequest:
    """One picture."""

    parts: tuple[FramePart, ...]
    view: View
    """From where, and how large, in the frame that is drawn in."""
    passes: tuple[str, ...]
    """Of `PASSES`."""
    output: Path
    """Folder of the answer: `PASS.npy`, float32, the first row the picture's upper one; of
    Cryptomatte `cryptomatte_0.npy` and so on."""
    to_world: NDArray[np.float64]
    """(4, 4) from the frame that is drawn in to the world, evenly scaled, in which depths and
    positions are told."""
    to_scene: NDArray[np.float64]
    """(3, 3) from linear Rec. 709 to the scene's linear colours."""
    background: tuple[float, float, float] | None
    """Linear colour of the scene, None: nothing, the picture is transparent there."""
    ranks: int = 6
    """How many objects a pixel of Cryptomatte lists."""
    backend: str = "auto"
    meshes: MeshFile | None = None
    """A picture of meshes from the same camera; the splats are drawn around it."""


def write_frame_request(path: Path, request: FrameRequest) -> None:
    """Write a request so that `read_frame_request` gives the same numbers.

    Raises:
        CgcError: the file cannot be written.
    """
    camera = request.view.camera
    record = {
        "version": VERSION,
        "parts": [
            {
                "file": str(part.file),
                "matrix": part.matrix.tolist(),
                "name": part.name,
                "index": part.index,
                "holdout": part.holdout,
            }
            for part in request.parts
        ],
        "camera": {name: getattr(camera, name) for name in _CAMERA},
        "world_to_camera": request.view.world_to_camera.tolist(),
        "passes": list(request.passes),
        "output": str(request.output),
        "to_world": request.to_world.tolist(),
        "to_scene": request.to_scene.tolist(),
        "background": None if request.background is None else list(request.background),
        "ranks": request.ranks,
        "backend": request.backend,
        "meshes": None if request.meshes is None else _meshes_record(request.meshes),
    }
    write_json(path, record)


def read_frame_request(path: Path) -> FrameRequest:
    """Read a request.

    Raises:
        CgcError: the file is missing or damaged, or another version wrote it.
    """
    record = read_json(path)
    if not isinstance(record, dict) or record.get("version") != VERSION:
        raise CgcError(f"{path} is no request of version {VERSION}; write it with this version.")
    try:
        return _request(record)
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError) as error:
        raise CgcError(f"{path} is damaged ({error}); write it again.") from error


_CAMERA = {"width": int, "height": int, "fx": float, "fy": float, "cx": float, "cy": float}


def _request(record: dict[str, Any]) -> FrameRequest:
    camera = PinholeCamera(**{name: kind(record["camera"][name]) for name, kind in _CAMERA.items()})
    if camera.width < 1 or camera.height < 1:
        raise ValueError("the picture has no pixels")
    passes = tuple(str(name) for name in record["passes"])
    if unknown := set(passes) - set(PASSES):
        raise ValueError(f"there is no pass {min(unknown)}")
    return FrameRequest(
        parts=tuple(_part(part) for part in record["parts"]),
        view=View("frame.png", camera, _matrix(record["world_to_camera"], 4)),
        passes=passes,
        output=Path(record["output"]),
        to_world=_matrix(record["to_world"], 4),
        to_scene=_matrix(record["to_scene"], 3),
        background=_optional(record["background"], _color),
        ranks=int(record["ranks"]),
        backend=str(record["backend"]),
        meshes=_optional(record["meshes"], _meshes),
    )


def _part(record: dict[str, Any]) -> FramePart:
    return FramePart(
        file=Path(record["file"]),
        matrix=_matrix(record["matrix"], 4),
        name=str(record["name"]),
        index=_optional(record["index"], int),
        holdout=bool(record["holdout"]),
    )


def _meshes_record(meshes: MeshFile) -> dict[str, Any]:
    return {**vars(meshes), "path": str(meshes.path), "corner": list(meshes.corner)}


def _meshes(record: dict[str, Any]) -> MeshFile:
    left, top = (int(number) for number in record["corner"])
    clip_end = float(record["clip_end"])
    return MeshFile(Path(record["path"]), str(record["view_layer"]), clip_end, (left, top))


def _matrix(rows: object, size: int) -> NDArray[np.float64]:
    matrix = np.array(rows, dtype=np.float64)
    if matrix.shape != (size, size) or not np.isfinite(matrix).all():
        raise ValueError(f"a matrix is not {size} × {size} finite numbers")
    return matrix


def _color(values: Any) -> tuple[float, float, float]:
    red, green, blue = (float(value) for value in values)
    return red, green, blue


def _optional(value: Any, convert: Callable[[Any], _T]) -> _T | None:
    return None if value is None else convert(value)
