# SPDX-License-Identifier: GPL-3.0-or-later
"""Intrinsics of a transforms.json become one of COLMAP's camera models.

What a frame says goes before what the file says for all. The names are those of nerfstudio and
instant-ngp: `w h fl_x fl_y cx cy`, `camera_angle_x` in radians, `x_fov` in degrees, `k1 … p2`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from ...errors import CgcError
from ..colmap.camera_models import CAMERA_MODELS
from ..colmap.records import ColmapCamera, checked_camera

SAME_FOCAL = 1e-6
"""Share by which focal lengths along x and y may differ to be one."""
_PERSPECTIVE = ("SIMPLE_PINHOLE", "PINHOLE", "SIMPLE_RADIAL", "RADIAL", "OPENCV", "FULL_OPENCV")
_FISHEYE = "OPENCV_FISHEYE"
_PANORAMA = "EQUIRECTANGULAR"
_DISTORTION = ("k1", "k2", "k3", "k4", "k5", "k6", "p1", "p2")
_NEVER = ("ftheta_p0", "latlong", "equirectangular")
"""Lenses of instant-ngp that no camera model of COLMAP has."""

Size = tuple[int, int]


def camera_of(
    place: str,
    frame: Mapping[str, Any],
    common: Mapping[str, Any],
    photo_size: Callable[[], Size | None],
) -> ColmapCamera:
    """Return the camera of a frame.

    Args:
        place: file and frame, how an error begins.
        frame: as in the file.
        common: the file itself, which says what its frames have in common.
        photo_size: gives width and height of the photo, px, where neither says it.

    Raises:
        CgcError: something is missing, is no number, or is of a lens that is not known.
    """
    width, height = _size(place, frame, common, photo_size)
    name = frame.get("camera_model", common.get("camera_model"))
    if any(key in scope for scope in (frame, common) for key in _NEVER):
        raise CgcError(
            f"{place} has a lens of instant-ngp that is neither perspective nor fisheye; "
            "cut perspective photos out of it and solve those."
        )
    if name == _PANORAMA:
        return checked_camera(place, _PANORAMA, width, height, (width, height))
    fx, fy = _focal_lengths(place, frame, common, width, height)
    values = {key: _value(place, frame, common, key) or 0.0 for key in _DISTORTION}
    values |= {"f": fx, "fx": fx, "fy": fy, "k": values["k1"]}
    for key, middle in (("cx", width / 2), ("cy", height / 2)):
        given = _value(place, frame, common, key)
        values[key] = middle if given is None else given
    model = _model(place, name, bool(frame.get("is_fisheye", common.get("is_fisheye"))), values)
    parameters = CAMERA_MODELS[model].parameters
    return checked_camera(place, model, width, height, (values[key] for key in parameters))


def _model(place: str, name: Any, is_fisheye: bool, values: Mapping[str, float]) -> str:
    """Return the model that a file names if it holds all values, else one that does."""
    bent = {key for key in _DISTORTION if values[key] != 0.0}
    # A file of instant-ngp is fisheye only if it has coefficients for it.
    if name == _FISHEYE or (is_fisheye and bent):
        return _FISHEYE
    if name is not None and name not in _PERSPECTIVE:
        raise CgcError(
            f"{place} has the camera model {str(name)[:40]!r}; read are "
            f"{', '.join((*_PERSPECTIVE, _FISHEYE))}: undistort the photos first."
        )
    if bent & {"k4", "k5", "k6"} and name != "FULL_OPENCV":
        # In these files it is a fourth radial coefficient, which COLMAP has for fisheye only.
        raise CgcError(
            f"{place} has the distortion {', '.join(sorted(bent))}, but perspective lenses have "
            "k1, k2, k3, p1, p2; undistort the photos first."
        )
    for model in (name, "PINHOLE", "OPENCV", "FULL_OPENCV"):
        if model is not None and _holds(model, values, bent):
            return model
    raise AssertionError(model)  # FULL_OPENCV holds everything


def _holds(model: str, values: Mapping[str, float], bent: set[str]) -> bool:
    parameters = {"k1" if key == "k" else key for key in CAMERA_MODELS[model].parameters}
    one_focal = abs(values["fx"] - values["fy"]) <= SAME_FOCAL * abs(values["fx"])
    return bent <= parameters and ("fx" in parameters or one_focal)


def _size(
    place: str,
    frame: Mapping[str, Any],
    common: Mapping[str, Any],
    photo_size: Callable[[], Size | None],
) -> Size:
    width, height = (_value(place, frame, common, key) for key in ("w", "h"))
    if width is None or height is None:
        size = photo_size()
        if size is None:
            raise CgcError(
                f"{place} does not say how large its photo is, and that cannot be told from the "
                'photo; add "w" and "h" to the file.'
            )
        return size
    if not (width.is_integer() and height.is_integer()):
        raise CgcError(f"{place} is {width:g}×{height:g} px; give whole numbers as w and h.")
    return int(width), int(height)


def _focal_lengths(
    place: str, frame: Mapping[str, Any], common: Mapping[str, Any], width: int, height: int
) -> tuple[float, float]:
    """Return the focal lengths along x and y, px; where a scope has one only, it is both."""
    for scope in (frame, common):
        x = _focal_length(place, scope, "x", width)
        y = _focal_length(place, scope, "y", height)
        if x is not None:
            return x, x if y is None else y
        if y is not None:
            return y, y
    raise CgcError(
        f"{place} has no focal length: neither fl_x nor camera_angle_x is there; "
        "export the cameras again with their intrinsics."
    )


def _focal_length(place: str, scope: Mapping[str, Any], axis: str, side: int) -> float | None:
    length = _number(place, scope, f"fl_{axis}")
    if length is not None:
        return length
    angle = _number(place, scope, f"camera_angle_{axis}")
    degrees = _number(place, scope, f"{axis}_fov")
    if angle is None and degrees is None:
        return None
    angle = angle if angle is not None else math.radians(degrees or 0.0)
    if not 0.0 < angle < math.pi:
        raise CgcError(
            f"{place} has a field of view of {math.degrees(angle):g} degrees; "
            "it must be between 0 and 180."
        )
    return 0.5 * side / math.tan(0.5 * angle)


def _value(
    place: str, frame: Mapping[str, Any], common: Mapping[str, Any], key: str
) -> float | None:
    number = _number(place, frame, key)
    return _number(place, common, key) if number is None else number


def _number(place: str, scope: Mapping[str, Any], key: str) -> float | None:
    value = scope.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise CgcError(
            f'{place}: "{key}" must be a number, but is {str(value)[:40]}; correct the file.'
        )
    return float(value)
