# SPDX-License-Identifier: GPL-3.0-or-later
"""Splats as binary glTF 2.0 with the extension KHR_gaussian_splatting.

Points whose attributes are the Gaussians: programs that know the extension draw splats, others
coloured points. Axes are those of glTF, y up.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import CgcError
from ..files import replacing
from ..srgb import linear_from_srgb
from ..version import __version__
from . import rotations
from .axes import flipped
from .gaussians import Gaussians
from .spherical_harmonics import CONSTANT_BASIS

EXTENSION = "KHR_gaussian_splatting"
LARGEST = 2**32 - 1
"""Bytes of a file."""
_COMPONENTS = {"f4": 5126, "u2": 5123}
_TYPES = {1: "SCALAR", 3: "VEC3", 4: "VEC4"}
_VERTICES = 34962
_POINTS = 0
_HEADER = struct.Struct("<4sII")
_CHUNK = struct.Struct("<I4s")


@dataclass(frozen=True, eq=False)
class _Attribute:
    """One number or several of each Gaussian."""

    name: str
    values: NDArray[np.generic]
    """(N, 1), (N, 3) or (N, 4); whole numbers stand for shares from 0 to 1."""


def write_glb(path: Path, gaussians: Gaussians) -> None:
    """Write a splat in COLMAP's axes, whole or not at all; features and segments stay out.

    Args:
        path: the file.
        gaussians: N > 0 Gaussians of finite numbers.

    Raises:
        CgcError: the Gaussians are too many for a file of this kind, or it cannot be written.
    """
    attributes = _attributes(flipped(gaussians))
    length = sum(attribute.values.nbytes for attribute in attributes)
    document = json.dumps(_document(attributes, length), separators=(",", ":")).encode("ascii")
    document += b" " * (-len(document) % 4)
    total = _HEADER.size + 2 * _CHUNK.size + len(document) + length
    if total > LARGEST:
        raise CgcError(
            f"{path} was not written: {len(gaussians):,} Gaussians take {total / 1e9:.1f} GB, a "
            "glTF file holds 4.3 GB; export them in parts, or as PLY."
        )
    with replacing(path) as temporary, temporary.open("wb") as file:
        file.write(_HEADER.pack(b"glTF", 2, total))
        file.write(_CHUNK.pack(len(document), b"JSON") + document)
        file.write(_CHUNK.pack(length, b"BIN\0"))
        for attribute in attributes:
            file.write(np.ascontiguousarray(attribute.values).data)


def _attributes(gaussians: Gaussians) -> list[_Attribute]:
    """Return what is stored of Gaussians in glTF's axes, each with rows of a multiple of 4 bytes.

    Scales and opacities are themselves, not their logarithm and logit.
    """
    quats = rotations.normalised(gaussians.quats)
    opacities = gaussians.opacities[:, None]
    colors = linear_from_srgb(np.clip(0.5 + CONSTANT_BASIS * gaussians.sh[:, 0], 0, 1))
    shares = np.concatenate([colors, opacities], axis=1) * 65535
    attributes = [
        _Attribute("POSITION", _floats(gaussians.means)),
        _Attribute("COLOR_0", np.round(shares).astype("<u2")),
        _Attribute(f"{EXTENSION}:ROTATION", _floats(np.roll(quats, -1, axis=1))),
        _Attribute(f"{EXTENSION}:SCALE", _floats(np.exp(gaussians.log_scales))),
        _Attribute(f"{EXTENSION}:OPACITY", _floats(opacities)),
    ]
    for degree in range(gaussians.sh_degree + 1):
        for index in range(2 * degree + 1):
            name = f"{EXTENSION}:SH_DEGREE_{degree}_COEF_{index}"
            attributes.append(_Attribute(name, _floats(gaussians.sh[:, degree**2 + index])))
    return attributes


def _floats(values: NDArray[np.floating]) -> NDArray[np.float32]:
    return np.ascontiguousarray(values, "<f4")


def _document(attributes: list[_Attribute], length: int) -> dict[str, object]:
    """Return the JSON: one scene with one node with one mesh of points."""
    views, accessors, place = [], [], 0
    for attribute in attributes:
        values = attribute.values
        views.append(
            {"buffer": 0, "byteOffset": place, "byteLength": values.nbytes, "target": _VERTICES}
        )
        kind = values.dtype.str[1:]
        accessor: dict[str, object] = {
            "bufferView": len(accessors),
            "componentType": _COMPONENTS[kind],
            "count": len(values),
            "type": _TYPES[values.shape[1]],
        }
        if kind == "u2":
            accessor["normalized"] = True
        if attribute.name == "POSITION":
            accessor["min"] = values.min(axis=0).tolist()
            accessor["max"] = values.max(axis=0).tolist()
        accessors.append(accessor)
        place += values.nbytes
    primitive = {
        "mode": _POINTS,
        "attributes": {attribute.name: index for index, attribute in enumerate(attributes)},
        "extensions": {EXTENSION: {"kernel": "ellipse", "colorSpace": "srgb_rec709_display"}},
    }
    return {
        "asset": {"version": "2.0", "generator": f"CGC {__version__}"},
        "extensionsUsed": [EXTENSION],
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0, "name": "Gaussian Splat"}],
        "meshes": [{"primitives": [primitive], "name": "Gaussian Splat"}],
        "accessors": accessors,
        "bufferViews": views,
        "buffers": [{"byteLength": length}],
    }
