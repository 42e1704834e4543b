# SPDX-License-Identifier: GPL-3.0-or-later
"""LabelMe's files, which X-AnyLabeling writes too: shapes drawn over one photo.

Shapes of one group are one thing, as are the two sides of a mug's handle; a shape without a group
is a thing of its own, whatever its label says: two mugs are two things.
"""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ...errors import CgcError
from .run_length import mask_of_polygons

_CORNERS_OF_A_CIRCLE = 64
_WITHOUT_AREA = frozenset({"point", "points", "line", "linestrip"})


def is_labelme(value: Any) -> bool:
    """Say whether a JSON value is what LabelMe writes for a photo."""
    return isinstance(value, dict) and isinstance(value.get("shapes"), list)


def things_of(value: Mapping[str, Any], place: str) -> list[list[Mapping[str, Any]]]:
    """Return the shapes that cover an area, those of one thing together.

    Args:
        value: the whole file.
        place: how the error begins.

    Raises:
        CgcError: a shape is not described as one.

    Example:
        >>> handle, cup = ({"shape_type": "polygon", "group_id": 1} for _ in range(2))
        >>> spoon = {"shape_type": "polygon", "group_id": None}
        >>> [len(shapes) for shapes in things_of({"shapes": [handle, spoon, cup]}, "a.json")]
        [2, 1]
    """
    things: dict[Any, list[Mapping[str, Any]]] = {}
    for number, shape in enumerate(value["shapes"]):
        if not isinstance(shape, dict):
            raise CgcError(f"{place}: shape {number} is none; the file is damaged, save it again.")
        if shape.get("shape_type", "polygon") in _WITHOUT_AREA:
            continue
        group = shape.get("group_id")
        key = ("shape", number) if group is None else ("group", str(group))
        things.setdefault(key, []).append(shape)
    return list(things.values())


def mask_of_shapes(shapes: Sequence[Mapping[str, Any]], size: tuple[int, int]) -> NDArray[np.bool_]:
    """Return what some shapes cover together, (H, W).

    Args:
        shapes: as in the file.
        size: width and height of the photo, px.

    Raises:
        ValueError: a shape is of an unknown kind or damaged.
    """
    covered = np.zeros((size[1], size[0]), bool)
    for shape in shapes:
        covered |= _mask_of(shape, size)
    return covered


def _mask_of(shape: Mapping[str, Any], size: tuple[int, int]) -> NDArray[np.bool_]:
    kind = shape.get("shape_type", "polygon")
    points = np.asarray(shape["points"], dtype=np.float64).reshape(-1, 2)
    if kind == "mask":
        return _pasted(shape["mask"], points, size)
    if kind == "rectangle" and len(points) == 2:
        (x0, y0), (x1, y1) = points
        points = np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]])
    elif kind == "circle" and len(points) == 2:
        radius = math.dist(*points)
        angles = np.linspace(0.0, 2.0 * np.pi, _CORNERS_OF_A_CIRCLE, endpoint=False)
        points = points[0] + radius * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    elif kind not in ("polygon", "rectangle", "rotation"):
        raise ValueError(f"shapes of the kind {kind!r} are not known")
    return mask_of_polygons([points.ravel().tolist()], size[1], size[0])


def _pasted(encoded: str, points: NDArray[np.float64], size: tuple[int, int]) -> NDArray[np.bool_]:
    """Return a mask that is stored as a picture (PNG in base 64) of its bounding box."""
    try:
        stored = Image.open(io.BytesIO(base64.b64decode(encoded, validate=True)))
        picture = np.asarray(stored.convert("L")) > 0
    except (OSError, SyntaxError) as error:
        raise ValueError(f"its picture cannot be read ({error})") from error
    left, top = np.floor(points.min(axis=0)).astype(int).tolist()
    covered = np.zeros((size[1], size[0]), bool)
    height, width = picture.shape
    if not (0 <= left <= left + width <= size[0] and 0 <= top <= top + height <= size[1]):
        raise ValueError("its picture lies outside the photo")
    covered[top : top + height, left : left + width] = picture
    return covered
