# SPDX-License-Identifier: GPL-3.0-or-later
"""COLMAP's camera models: their numbers, their names, and what each parameter is.

A table of our own, so that models are read where pycolmap is not installed. How a model with
distortion projects is asked of pycolmap, in `undistort`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

FOCAL_LENGTHS = frozenset({"f", "fx", "fy"})
CENTER = frozenset({"cx", "cy"})
SIDES = frozenset({"w", "h"})
"""What a panorama has instead of a focal length and a centre."""


@dataclass(frozen=True)
class CameraModel:
    """One of COLMAP's camera models."""

    number: int
    """How `cameras.bin` names it."""
    name: str
    """How `cameras.txt` names it."""
    parameters: tuple[str, ...]
    """In the order of the files: f or fx fy, cx, cy, then distortion; w and h of a panorama."""
    fisheye: bool = False
    """Whether straight lines are bent even where all distortion is 0."""

    @property
    def is_panorama(self) -> bool:
        """Whether it sees all around, so that it has no focal length."""
        return not FOCAL_LENGTHS & set(self.parameters)

    @property
    def distortion(self) -> tuple[str, ...]:
        """The parameters that are 0 where there is no distortion."""
        straight = FOCAL_LENGTHS | CENTER | SIDES
        # The beta of EUCM shapes what its alpha blends in: with alpha 0 it says nothing.
        return tuple(name for name in self.parameters if name not in straight and name != "beta")


def _by_name(*models: CameraModel) -> Mapping[str, CameraModel]:
    return {model.name: model for model in models}


def _model(number: int, name: str, parameters: str, *, fisheye: bool = False) -> CameraModel:
    return CameraModel(number, name, tuple(parameters.split()), fisheye)


CAMERA_MODELS = _by_name(
    _model(0, "SIMPLE_PINHOLE", "f cx cy"),
    _model(1, "PINHOLE", "fx fy cx cy"),
    _model(2, "SIMPLE_RADIAL", "f cx cy k"),
    _model(3, "RADIAL", "f cx cy k1 k2"),
    _model(4, "OPENCV", "fx fy cx cy k1 k2 p1 p2"),
    _model(5, "OPENCV_FISHEYE", "fx fy cx cy k1 k2 k3 k4", fisheye=True),
    _model(6, "FULL_OPENCV", "fx fy cx cy k1 k2 p1 p2 k3 k4 k5 k6"),
    _model(7, "FOV", "fx fy cx cy omega"),
    _model(8, "SIMPLE_RADIAL_FISHEYE", "f cx cy k", fisheye=True),
    _model(9, "RADIAL_FISHEYE", "f cx cy k1 k2", fisheye=True),
    _model(10, "THIN_PRISM_FISHEYE", "fx fy cx cy k1 k2 p1 p2 k3 k4 sx1 sy1", fisheye=True),
    _model(
        11,
        "RAD_TAN_THIN_PRISM_FISHEYE",
        "fx fy cx cy k0 k1 k2 k3 k4 k5 p0 p1 s0 s1 s2 s3",
        fisheye=True,
    ),
    _model(12, "SIMPLE_DIVISION", "f cx cy k"),
    _model(13, "DIVISION", "fx fy cx cy k"),
    _model(14, "SIMPLE_FISHEYE", "f cx cy", fisheye=True),
    _model(15, "FISHEYE", "fx fy cx cy", fisheye=True),
    _model(16, "EUCM", "fx fy cx cy alpha beta"),
    _model(17, "EQUIRECTANGULAR", "w h"),
)
"""By name."""

MODEL_NAMES: Mapping[int, str] = {model.number: name for name, model in CAMERA_MODELS.items()}
"""By number."""
